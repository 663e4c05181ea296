"""Breast tumours by the shape of their cell nuclei, with a small perceptron."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.bundled import BreastCancer
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine


def breast_cancer() -> Recipe:
    """Whether a tumour is malignant, by the shape of its cell nuclei, with a small perceptron.

    Reaches test_accuracy 0.9705 ± 0.005, test_auroc 0.9952 ± 0.003 (mean and deviation of 3 seeds) in 0.7 CPU-seconds on 1 thread.

    中文: 小型感知机，由细胞核形态判断乳腺肿瘤的良恶性

    中文: 实测 test_accuracy 0.9705 ± 0.005、test_auroc 0.9952 ± 0.003（3 个种子的均值与标准差），1 个线程，0.7 CPU 秒。

    Scope: 11.3, 1.2
    """
    return Recipe(
        model=MLP(hidden=(64,), dropout=0.1),
        data=BreastCancer(),
        optimizer=AdamW(lr=5e-3, weight_decay=0.1),
        schedule=Cosine(warmup=0.05),
        epochs=30,
        batch_size=32,
    )
