"""Texts of one's own, sorted into classes by a small transformer trained from nothing."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.classify_text import ClassifyText
from danlu.metrics.classification import Accuracy
from danlu.nets.bert import BERT
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.techniques.gradient.clip import Clip


def classify_text() -> Recipe:
    """Your own texts (`data.path=reviews.csv data.text=review data.target=label`), with a small BERT trained from nothing.

    中文: 自己的文本分类（`data.path=reviews.csv data.text=review data.target=label`），使用从零训练的小型 BERT

    Scope: 11.3, 12.3, 1.2
    """
    return Recipe(
        model=BERT(width=128, depth=1, heads=4, dropout=0.2),
        data=ClassifyText(),
        optimizer=AdamW(lr=2e-3, weight_decay=0.05),
        schedule=Cosine(warmup=0.05),
        techniques=(Clip(max_norm=1.0),),
        epochs=12,
        batch_size=64,
        metrics=(Accuracy(),),
    )
