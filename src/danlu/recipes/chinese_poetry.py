"""Lyrics of the Song dynasty, character by character, with a small GPT."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.corpora import ChinesePoetry
from danlu.nets.gpt import GPT
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.techniques.gradient.clip import Clip


def chinese_poetry() -> Recipe:
    """Lyrics of the Song dynasty, character by character, with a small GPT.

    Reaches val_loss 4.578 ± 0.06 (mean and deviation of 3 seeds) in 112 CPU-seconds on 1 thread.

    中文: 小型 GPT，逐字学习宋词

    中文: 实测 val_loss 4.578 ± 0.06（3 个种子的均值与标准差），1 个线程，112 CPU 秒。

    Scope: 11.3, 5.3, 3.6
    """
    return Recipe(
        model=GPT(width=128, depth=2, heads=4, dropout=0.1, tied=True),
        data=ChinesePoetry(length=64),
        optimizer=AdamW(lr=3e-3, beta2=0.99, weight_decay=0.1),
        schedule=Cosine(warmup=0.05),
        techniques=(Clip(max_norm=1.0),),
        epochs=3,
        batch_size=16,
    )
