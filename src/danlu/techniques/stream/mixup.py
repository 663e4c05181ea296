"""Train on blends of two rows and of their targets (Zhang et al. 2018, "mixup: Beyond empirical risk minimization").

Rows are blended with their neighbour in the batch (the order is shuffled already), each pair with its own share, keyed by the sample: so
the blends do not depend on how a batch is split into micro-batches of an even size. Shares come from a table of 4097 quantiles of the
Beta distribution.

Formula: x ← λ x_i + (1 − λ) x_j, t ← λ t_i + (1 − λ) t_j, λ ~ Beta(alpha, alpha)
When it helps: image and tabular classification with few data; calibration.
What it costs: one pass over the inputs.
When not to use it: tokens and other inputs that cannot be averaged; short trainings that underfit.
Failure signals: training loss far above validation loss and both still falling at the end: the training is too short for it; calibration
turns to underconfidence: alpha is too large.
Interactions: needs an even micro_batch_size and inputs that can be averaged, or it is refused; label smoothing on top softens the targets
twice; training accuracy says nothing any more.

原理: 把每行与相邻一行按 Beta(alpha, alpha) 的比例混合，目标也按同样比例混合；比例由样本编号决定，与拆分无关。
何时有用: 数据少的图像与表格分类；改善校准。
代价: 遍历一次输入。
何时不用: 词元等不能取平均的输入；本来就欠拟合的短训练。
失效信号: 训练损失远高于验证损失，且结束时两者仍在下降：训练对它来说太短；校准变得过于保守：alpha 太大。
相互作用: 微批大小必须是偶数，输入必须能取平均，否则拒绝；再加标签平滑会把目标软化两次；训练准确率不再有意义。

Scope: 9.3
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from danlu.core import Batch, Run, Stream, Technique
from danlu.errors import Refused, Sentence
from danlu.fields import NonNegative
from danlu.keys import uniform

NOT_BLENDABLE = Sentence(
    "mixup blends inputs and targets, which {what} cannot be; remove mixup",
    "mixup 要混合输入与目标，而{what}无法混合；请去掉 mixup",
)
ODD = Sentence(
    "mixup blends neighbouring rows in pairs, which micro_batch_size = {size} on {ranks} processes would part; "
    "set an even micro_batch_size",
    "mixup 两两混合相邻的行，在 {ranks} 个进程上 micro_batch_size = {size} 会拆散配对；请把 micro_batch_size 设为偶数",
)
_KNOTS = 4096


@dataclass
class MixUp(Technique):
    """Blend each row with its neighbour by a share drawn from Beta(alpha, alpha); class targets become soft.

    alpha: how strongly rows are mixed; 0 not at all, 1 uniformly ｜ 混合的强度；0 为不混合，1 时混合比例均匀分布
    中文: 把相邻两行样本及其标签按 Beta(alpha, alpha) 的比例混合。
    """

    alpha: NonNegative = 0.2

    name: ClassVar = "mixup"
    neutral: ClassVar = {"alpha": 0.0}
    needs: ClassVar = frozenset({"inputs"})

    def wrap_stream(self, stream: Stream, run: Run) -> Iterator[Batch]:
        if self.alpha == 0.0:
            return iter(stream)
        facts, size, ranks = run.data.facts, run.recipe.micro_batch_size, run.placement.world
        if size % 2 if size else ranks > 1:
            raise Refused(ODD, size=size, ranks=ranks)
        if facts.task not in ("classify", "multilabel", "regress") or facts.vocab is not None:
            raise Refused(NOT_BLENDABLE, what=facts.task)
        return self._mixed(stream, run)

    def _mixed(self, stream: Stream, run: Run) -> Iterator[Batch]:
        facts, quantiles = run.data.facts, self._quantiles(run.placement.device)
        for batch in stream:
            share = shares(quantiles, batch, run.seed)
            targets = batch.targets
            if not targets.is_floating_point():
                if facts.task == "classify":  # not F.one_hot, which reads the smallest and the largest label
                    targets = targets[..., None] == torch.arange(facts.outputs, device=targets.device)
                targets = targets.to(torch.get_default_dtype())
            named = batch.inputs if isinstance(batch.inputs, dict) else {"inputs": batch.inputs}
            if whole := [key for key, value in named.items() if not value.is_floating_point()]:
                raise Refused(NOT_BLENDABLE, what=", ".join(whole))
            blended = {key: _blend(value, share) for key, value in named.items()}
            yield replace(batch, inputs=blended if named is batch.inputs else blended["inputs"], targets=_blend(targets, share))

    def _quantiles(self, device: torch.device) -> Tensor:
        from scipy.special import betaincinv

        knots = torch.linspace(0, 1, _KNOTS + 1, dtype=torch.float64).numpy()
        return torch.from_numpy(betaincinv(self.alpha, self.alpha, knots)).float().to(device)

    @classmethod
    def example(cls) -> MixUp:
        return cls(alpha=1.0)


def shares(quantiles: Tensor, batch: Batch, seed: int) -> Tensor:
    """One share a row, [rows], equal for both rows of a pair; drawn by the pair's first sample, step by step."""
    place = uniform(batch.ids[::2], seed, "mixup", batch.step) * _KNOTS
    below = place.long()
    drawn = torch.lerp(quantiles[below], quantiles[below + 1], place - below)
    return drawn.repeat_interleave(2)[: len(batch.ids)]


def _blend(rows: Tensor, share: Tensor) -> Tensor:
    """share * row + (1 - share) * its neighbour; a last row without a neighbour stays as it is."""
    order = torch.arange(len(rows), device=rows.device) ^ 1
    order = torch.where(order < len(rows), order, order - 1)
    share = share.to(rows.dtype).view(-1, *[1] * (rows.ndim - 1))
    return torch.lerp(rows[order], rows, share)
