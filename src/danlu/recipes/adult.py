"""Census incomes with a residual network for tables."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.adult import Adult
from danlu.nets.tabular import TabularNet
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.techniques.update.ema import EMA


def adult() -> Recipe:
    """Who earns more than 50,000 dollars a year, with a residual network for tables.

    Reaches test_accuracy 0.8609 ± 0.0008, test_auroc 0.915 ± 0.0004 (mean and deviation of 3 seeds) in 10 CPU-seconds on 1 thread.

    中文: 表格残差网络，由人口普查数据判断年收入是否超过 5 万美元

    中文: 实测 test_accuracy 0.8609 ± 0.0008、test_auroc 0.915 ± 0.0004（3 个种子的均值与标准差），1 个线程，10 CPU 秒。

    Scope: 11.3, 1.2, 2.10
    """
    return Recipe(
        model=TabularNet(width=128, depth=2, dropout=0.2),
        data=Adult(),
        optimizer=AdamW(lr=2e-3, weight_decay=0.01),
        schedule=Cosine(warmup=0.05),
        techniques=(EMA(decay=0.99),),
        epochs=10,
        batch_size=256,
    )
