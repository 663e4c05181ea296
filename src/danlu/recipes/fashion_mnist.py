"""Articles of clothing with a small convolutional network."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.mnist import FashionMNIST
from danlu.nets.cnn import CNN
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import OneCycle


def fashion_mnist() -> Recipe:
    """Articles of clothing with a small convolutional network, in one cycle of the rate.

    Reaches test_accuracy 0.922 ± 0.0009 (mean and deviation of 3 seeds) in 123 CPU-seconds on 1 thread.

    中文: 小型卷积网络识别服饰图像，单周期学习率

    中文: 实测 test_accuracy 0.922 ± 0.0009（3 个种子的均值与标准差），1 个线程，123 CPU 秒。

    Scope: 11.3, 1.2, 1.6
    """
    return Recipe(
        model=CNN(),
        data=FashionMNIST(augment="flip"),
        optimizer=AdamW(lr=1e-2, weight_decay=0.05),
        schedule=OneCycle(),
        epochs=7,
        batch_size=256,
    )
