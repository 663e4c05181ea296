"""Data parallel with the optimiser's state divided: each process keeps that of some weights, steps them, and sends them (ZeRO stage 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from danlu.optim.reach import reach
from danlu.placement.ddp import DDP
from danlu.placement.owned import Owned


@dataclass
class Zero(DDP):
    """Data parallel in which each process keeps the optimiser's state of some weights, steps these, and sends them (ZeRO stage 1).

    Weights are divided whole, so that optimisers of matrices (Muon, Shampoo) see whole ones, and share the work of their roots. Optimisers
    that look at the whole model (L-BFGS, Prodigy), or whose groups move with their steps (schedule-free), are not divided: as with ddp.
    Rajbhandari et al. 2020; what divides gradients and weights too (stage 3) is fsdp.

    bucket: megabytes of gradients that are exchanged at once, while backward goes on ｜ 每次通信交换多少 MB 的梯度；与反向传播同时进行

    中文: 数据并行，优化器状态按整个权重分给各进程：各自更新自己的权重再发给其他进程（ZeRO 第一阶段）。

    中文: 按整个权重划分，因此矩阵类优化器（Muon、Shampoo）看到的是完整矩阵，求根的计算也由各进程分担。
    要看整个模型的优化器（L-BFGS、Prodigy），或参数组随步变化的优化器（schedule-free）不划分，与 ddp 相同。
    出自 Rajbhandari et al. 2020；连梯度和权重也切分的（stage 3）是 fsdp。
    Scope: 4.2
    """

    _owned = None  # type: Owned | None

    def optimizer(self, wish: Callable[[Iterable[Any]], torch.optim.Optimizer], entries: Iterable[Any]) -> torch.optim.Optimizer:
        made = super().optimizer(wish, entries)
        if self.world > 1 and reach(made) != "model" and not getattr(made, "moves_groups", False):
            self._owned, self.joint = Owned(made, self.rank, self.world), True
        return made

    def step(self, optimizer: torch.optim.Optimizer, closure: Callable[[], Any] | None = None) -> None:
        self._owned.step() if self._owned else super().step(optimizer, closure)

    def states(self, optimizer: torch.optim.Optimizer) -> Mapping[Tensor, dict[str, Any]]:
        return self._owned.states(self.everyone, self._keeps) if self._owned else super().states(optimizer)

    def keep(self, optimizer: torch.optim.Optimizer, p: Tensor, values: dict[str, Any]) -> None:
        if self._owned is None or self._owned.owns(p):
            super().keep(optimizer, p, values)

    def close(self) -> None:
        super().close()
        self._owned = None
