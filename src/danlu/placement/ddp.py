"""Data parallel: every process holds the whole model and takes its share of each batch."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from danlu.fields import Positive
from danlu.placement.exchange import Exchange
from danlu.placement.spmd import Spmd


@dataclass
class DDP(Spmd):
    """Data parallel: each process holds the whole model and takes its share of the batch; gradients are summed over all (Li et al. 2020).

    bucket: megabytes of gradients that are exchanged at once, while backward goes on ｜ 每次通信交换多少 MB 的梯度；与反向传播同时进行

    中文: 数据并行：每个进程持有完整模型，处理批次的一部分，梯度在所有进程间求和。
    Scope: 4.1
    """

    bucket: Positive = 25.0

    _exchange = None  # type: Exchange | None

    def place(self, model: nn.Module) -> nn.Module:
        model = super().place(model)
        if self.world > 1:
            self._exchange = Exchange([p for p in model.parameters() if p.requires_grad], None, self.bucket * 2**20)
        return model

    def sync(self, model: nn.Module, last: bool) -> AbstractContextManager[Any]:
        return self._exchange.armed() if last and self._exchange else nullcontext()

    def _finish(self, sums: dict[str, tuple[Tensor, str]]) -> None:
        if self._exchange:
            self._exchange.finish()
        super()._finish(sums)

    def close(self) -> None:
        if self._exchange:
            self._exchange.close()
        super().close()
