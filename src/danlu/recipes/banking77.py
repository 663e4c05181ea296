"""What a bank's customer wants, with a small transformer trained from nothing."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.banking77 import Banking77
from danlu.metrics.classification import Accuracy, TopK
from danlu.nets.bert import BERT
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.techniques.gradient.clip import Clip


def banking77() -> Recipe:
    """What a bank's customer wants, one of 77 things, with a small BERT trained from nothing.

    Reaches test_accuracy 0.8267 ± 0.005 (mean and deviation of 3 seeds) in 65 CPU-seconds on 1 thread.

    中文: 从零训练的小型 BERT，判断银行客户的 77 种意图

    中文: 实测 test_accuracy 0.8267 ± 0.005（3 个种子的均值与标准差），1 个线程，65 CPU 秒。

    Scope: 11.3, 1.2
    """
    return Recipe(
        model=BERT(width=128, depth=1, heads=4, dropout=0.2),
        data=Banking77(length=32),
        optimizer=AdamW(lr=2e-3, weight_decay=0.05),
        schedule=Cosine(warmup=0.05),
        techniques=(Clip(max_norm=1.0),),
        epochs=12,
        batch_size=64,
        metrics=(Accuracy(), TopK(k=5)),
    )
