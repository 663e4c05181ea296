"""Wines by their chemistry with a small perceptron."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.bundled import Wine
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine


def wine() -> Recipe:
    """The grower of a wine by its chemistry, with a small perceptron.

    Reaches test_accuracy 0.9722 ± 0 (mean and deviation of 3 seeds) in 1.2 CPU-seconds on 1 thread.

    中文: 小型感知机，由化学指标判断葡萄酒的产地

    中文: 实测 test_accuracy 0.9722 ± 0（3 个种子的均值与标准差），1 个线程，1.2 CPU 秒。

    Scope: 11.3, 1.2
    """
    return Recipe(
        model=MLP(hidden=(32,), dropout=0.1),
        data=Wine(),
        optimizer=AdamW(lr=1e-2),
        schedule=Cosine(warmup=0.05),
        epochs=40,
        batch_size=16,
    )
