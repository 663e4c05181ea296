"""House prices with a residual network for tables."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.california_housing import CaliforniaHousing
from danlu.losses.regression import Huber
from danlu.nets.tabular import TabularNet
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.techniques.update.ema import EMA


def california_housing() -> Recipe:
    """House prices of Californian districts, with a residual network for tables.

    Reaches test_r2 0.823 ± 0.003 (mean and deviation of 3 seeds) in 23 CPU-seconds on 1 thread.

    中文: 表格残差网络，预测加州各街区的房价中位数

    中文: 实测 test_r2 0.823 ± 0.003（3 个种子的均值与标准差），1 个线程，23 CPU 秒。

    Scope: 11.3, 1.3, 2.10
    """
    return Recipe(
        model=TabularNet(width=256, depth=2, dropout=0.1),
        data=CaliforniaHousing(),
        loss=Huber(),  # prices are cut off at 500,001 dollars: a few rows are far out
        optimizer=AdamW(lr=4e-3, weight_decay=0.3),
        schedule=Cosine(warmup=0.05),
        techniques=(EMA(decay=0.99),),
        epochs=20,
        batch_size=256,
    )
