"""Layer-sequential unit variance (Mishkin and Matas 2015, "All you need is a good init"): scale each layer by what it does to real rows.

Weights start orthonormal; then, layer after layer in the order in which they work, each is divided by the deviation of its outputs on the
first rows of the data until that is one.

Formula: W_k ← W_k / std(output of layer k on the first rows), layer after layer, until it is one
When it helps: nets without normalisation whose activations no formula covers (mixed activations, unusual shapes).
What it costs: a few forward passes over `rows` rows at the start.
When not to use it: with normalisation layers, which do it all the time.
Failure signals: refused with the layer's name when its outputs are all the same; a first loss far from that of guessing says that the rows
looked at are not typical.
Interactions: replaces `init`; with normalisation layers it changes next to nothing; rows come from the data as they are, before `mixup`
blends them.

原理: 权重先取正交，再按层的工作顺序，用真实数据把每层输出的标准差除到一。
公式: 逐层 W_k ← W_k / σ_k，σ_k 为第 k 层在头几行数据上的输出的标准差，直到它为一
何时有用: 没有归一化层、激活又没有现成公式可套的网络（混用激活、形状特殊）。
代价: 起步时对 `rows` 行做几次前向。
何时不用: 有归一化层的时候：它们一直在做这件事。
失效信号: 某层输出全都相同时，会带着层名被拒绝；初始损失与瞎猜相差很远，说明所看的行不典型。
相互作用: 取代 `init`；有归一化层时几乎不起作用；所看的是原始数据行，在 `mixup` 混合之前。

Scope: 9.1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from danlu.core import Run, Technique
from danlu.errors import Refused, Sentence
from danlu.fields import Positive, PositiveInt
from danlu.keys import generator
from danlu.losses.criterion import forward
from danlu.techniques.model.init import Weighted, orthogonal, weighted

DEAD = Sentence(
    "lsuv: the outputs of layer `{layer}` are the same for all of the first {rows} rows; take more rows, or use init instead",
    "lsuv：层 `{layer}` 对前 {rows} 行数据的输出全都相同；请增加行数，或改用 init",
)


@dataclass
class LSUV(Technique):
    """Start from orthonormal weights scaled so that each layer's outputs have unit variance on the first rows of the data.

    rows: rows that are looked at ｜ 用来测量输出方差的行数，取自数据开头
    tolerance: how far from one the variance may stay ｜ 方差与 1 的容许偏差
    tries: forward passes for a layer at most ｜ 每层至多做几次前向
    中文: 逐层按真实数据把输出方差调到 1 的初始化（LSUV）。
    """

    rows: PositiveInt = 64
    tolerance: Positive = 0.01
    tries: PositiveInt = 10

    neutral: ClassVar = "weights must start somewhere, and it draws them anew"

    def wrap_model(self, model: nn.Module, run: Run) -> nn.Module:
        ids = torch.arange(min(self.rows, len(run.data.train)))
        inputs, _ = run.data.train.fetch(ids, 0)
        names = {layer: name for name, layer in weighted(model)}
        training = model.training
        model.eval()  # neither dropout nor batch statistics: what is scaled is the layer alone
        try:
            with torch.no_grad():
                for layer, name in names.items():
                    orthogonal(layer.weight, generator(run.seed, "init", name))
                    if layer.bias is not None:
                        layer.bias.zero_()
                for layer in _order(model, inputs, names):
                    self._scale(model, inputs, layer, names[layer])
        finally:
            model.train(training)
        return model

    def _scale(self, model: nn.Module, inputs: Any, layer: Weighted, name: str) -> None:
        for _ in range(self.tries):
            variance = _output(model, inputs, layer).double().var()
            if not variance > 1e-20:
                raise Refused(DEAD, layer=name, rows=self.rows)
            if abs(variance - 1) <= self.tolerance:
                break
            layer.weight /= variance.sqrt()


def _order(model: nn.Module, inputs: Any, names: dict[Weighted, str]) -> list[Weighted]:
    """The layers in the order in which they first work."""
    seen: dict[Weighted, None] = {}
    hooks = [layer.register_forward_hook(lambda layer, args, output: seen.setdefault(layer)) for layer in names]
    forward(model, inputs)
    for hook in hooks:
        hook.remove()
    return list(seen)


def _output(model: nn.Module, inputs: Any, layer: Weighted) -> Tensor:
    found: list[Tensor] = []
    hook = layer.register_forward_hook(lambda layer, args, output: found.append(output))
    forward(model, inputs)
    hook.remove()
    return found[0]
