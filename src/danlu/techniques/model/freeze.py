"""Parts of the model that are not trained (Yosinski et al. 2014, "How transferable are features in deep neural networks?").

Formula: w_k stays as it is for every parameter k whose name fits a pattern
When it helps: fine-tuning with few rows: what was learned elsewhere stays as it is, and is not even differentiated.
What it costs: nothing; it saves the gradients, the optimiser's state and, below the lowest trained part, the backward pass.
When not to use it: where the new data are unlike the old; small rates for lower layers (an optimiser's layer_decay) are gentler.
Failure signals: the training loss stops far above that of a full training: what is frozen does not fit the new data.
Interactions: frozen parameters take no part in `weight_decay`, `clip`'s norm or the optimiser's state; `init` and `lsuv` draw weights anew
whether or not they are frozen afterwards.

原理: 名称匹配的参数不参与训练：不求梯度，优化器也看不到它们。
公式: 名称匹配的每个参数 w_k 保持不变
何时有用: 行数少的微调：在别处学到的东西原样保留，连导数都不用算。
代价: 没有代价；还省下梯度、优化器状态，以及最低可训练层以下的反向传播。
何时不用: 新数据与旧数据差别大的时候；给低层较小的学习率（优化器的 layer_decay）更温和。
失效信号: 训练损失停在远高于全量训练的水平：被冻结的部分不适合新数据。
相互作用: 冻结的参数不进入 `weight_decay`、`clip` 的范数和优化器状态；`init` 与 `lsuv` 会重新抽取权重，无论之后是否冻结。

Scope: 10.3
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar

from torch import nn

from danlu.core import Run, Technique
from danlu.errors import BadInput, Sentence
from danlu.techniques.model.frozen_norm import FrozenBatchNorm, frozen

MATCHES_NOTHING = Sentence(
    "freeze(parts=[{pattern}]) fits no parameter of the model; its parameters are {names}",
    "freeze(parts=[{pattern}]) 没有匹配模型的任何参数；模型的参数有 {names}",
)


@dataclass
class Freeze(Technique):
    """Do not train the parameters whose names fit one of the patterns; the optimiser does not see them.

    parts: names of parameters, with * for any text: [embed*, layers.0.*] ｜ 参数名，* 代表任意文本：[embed*, layers.0.*]
    norms: a BatchNorm all of whose parameters are frozen keeps its statistics, too ｜ 参数全被冻结的 BatchNorm，统计量也保持不变
    中文: 冻结名称匹配的参数，不参与训练。
    """

    parts: tuple[str, ...] = ()
    norms: bool = True

    neutral: ClassVar = {"parts": ()}

    def wrap_model(self, model: nn.Module, run: Run) -> nn.Module:
        names = dict(model.named_parameters())
        for pattern in self.parts:
            found = [p for name, p in names.items() if fnmatchcase(name, pattern)]
            if not found:
                raise BadInput(MATCHES_NOTHING, pattern=pattern, names=", ".join(names))
            for p in found:
                p.requires_grad_(False)
        return self._still(model) if self.norms and self.parts else model

    def _still(self, model: nn.Module) -> nn.Module:
        if isinstance(model, nn.modules.batchnorm._BatchNorm):
            own = list(model.parameters())
            return frozen(model) if own and not any(p.requires_grad for p in own) else model
        for name, child in list(model.named_children()):
            if not isinstance(child, FrozenBatchNorm):
                setattr(model, name, self._still(child))
        return model

    @classmethod
    def example(cls) -> Freeze:
        return cls(parts=("0.*",))
