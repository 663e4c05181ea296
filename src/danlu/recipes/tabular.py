"""A table of one's own with a residual network for tables."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.tabular import Tabular
from danlu.nets.tabular import TabularNet
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.techniques.update.ema import EMA


def tabular() -> Recipe:
    """Your own table (`data.path=my.csv data.target=price`), with a residual network for tables.

    中文: 自己的表格（`data.path=my.csv data.target=price`），使用表格残差网络

    Scope: 11.3, 12.1, 2.10
    """
    return Recipe(
        model=TabularNet(width=256, depth=2, dropout=0.2, frequency_scale=0.2),
        data=Tabular(),
        optimizer=AdamW(lr=2e-3, weight_decay=0.3),
        schedule=Cosine(warmup=0.05),
        techniques=(EMA(decay=0.99),),
        steps=6000,  # not epochs: a table of 200 rows needs as many moves as one of 20,000
        batch_size=64,
    )
