"""A language learned from one's own text with a small GPT."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.text_files import TextFiles
from danlu.nets.gpt import GPT
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.techniques.gradient.clip import Clip


def text() -> Recipe:
    """Your own text (`data.path='books/*.txt'`), with a small GPT trained from nothing.

    中文: 自己的文本（`data.path='books/*.txt'`），使用从零训练的小型 GPT

    Scope: 11.3, 12.4, 3.6
    """
    return Recipe(
        model=GPT(width=128, depth=4, heads=4, tied=True),
        data=TextFiles(),
        optimizer=AdamW(lr=3e-3, beta2=0.99, weight_decay=0.1),
        schedule=Cosine(warmup=0.05),
        techniques=(Clip(max_norm=1.0),),
        epochs=4,
        batch_size=16,
    )
