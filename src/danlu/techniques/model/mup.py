"""Maximal update parametrisation, muP (Yang et al. 2021, "Tensor programs V").

In the usual parametrisation a wider net takes larger steps in what it computes, so that its best learning rate is lower. Here the start and
the rate of each layer change with the width (their table 3) so that every layer's activations move by about the same whatever the width:
a rate that was found on a narrow net serves a wide one.
When it helps: to tune on a narrow copy of a net and train the wide one at those settings.
What it costs: nothing; parameters are in a few groups more.
When not to use it: for a net that is trained at one width only.
Formula: with m = width / base_width, hidden and output matrices get Adam's rate lr / m; hidden ones start with a deviation ~ 1 / √width
Failure signals: the best rate of a wider net still moves: something else changed with it (depth, batch, steps), or heads grew in width.
Interactions: the data, number of blocks, batch and steps must be the same for both nets; attention heads must grow in number, not in width.
`init` and `lsuv` would overwrite the start that it gives.

原理: 最大更新参数化：每层的初始化和学习率随宽度改变，使各层激活的变化量与宽度无关，窄网络上调好的学习率可直接用于宽网络。
何时有用: 先在窄网络上调参，再用同样的设置训练宽网络。
代价: 没有；只是参数多分了几组。
何时不用: 只在一种宽度上训练的网络。
失效信号: 宽网络的最佳学习率仍在移动：说明还有别的东西随之改变（深度、批次、步数），或注意力头变宽了。
相互作用: 两个网络的数据、层数、批次和步数须相同；注意力头应增加个数而不是宽度。`init` 与 `lsuv` 会覆盖它给出的初值。

Scope: 9.1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from danlu.core import Run, Technique
from danlu.errors import BadInput, Refused, Sentence
from danlu.fields import PositiveInt
from danlu.optim.first_order import AdamW
from danlu.optim.groups import EMBEDDINGS, output_layer
from danlu.techniques.model.init import weighted

NO_RULE = Sentence(
    "mup knows how rates change with the width for sgd, adam, adamw, nadam, radam, lion, adagrad and rmsprop; the optimizer is {found}",
    "mup 只知道 sgd、adam、adamw、nadam、radam、lion、adagrad、rmsprop 的学习率如何随宽度变化；当前优化器是 {found}",
)
NO_HIDDEN = Sentence(
    "mup found no hidden layer in the model: only what lies between the first and the last layer has a width that can grow",
    "mup 在模型中没有找到隐藏层：只有首层与末层之间的部分才有可变的宽度",
)
TIED = Sentence(
    "mup needs an output layer of its own: it starts and learns otherwise than the embedding whose weights it shares (model.tied=false)",
    "mup 需要独立的输出层：其初始化与学习率都和共享权重的词嵌入不同（model.tied=false）",
)
UNKNOWN = Sentence(
    "mup does not know how `{name}` changes with the width; it knows linear, convolution and embedding layers",
    "mup 不知道 `{name}` 如何随宽度变化；它只认识线性层、卷积层和嵌入层",
)


@dataclass
class MuP(Technique):
    """Start each layer, and set its rate, so that the best learning rate does not depend on the model's width (muP).

    base_width: width of the net at which the rate was found; a model of that width is left as it is
        ｜ 调好学习率的那个网络的宽度；同样宽度的模型保持原样
    中文: 最大更新参数化（muP）：按宽度设定各层的初始化与学习率，使窄网络上调好的学习率可直接用于宽网络。
    """

    base_width: PositiveInt = 64

    neutral: ClassVar = "a model of the base width is left as it is, but which width that is depends on the model"

    def wrap_model(self, model: nn.Module, run: Run) -> nn.Module:
        rule = getattr(run.recipe.optimizer or AdamW(), "width_rule", "")
        if not rule:
            raise Refused(NO_RULE, found=type(run.recipe.optimizer).__name__)
        first, last = self._ends(model, run)
        times = last.weight.flatten(1).shape[1] / self.base_width  # how much wider than the base
        flat = any(hasattr(module, "deviation") for module in model.modules())  # all layers start at one deviation, whatever their width
        for module in model.modules():
            own = dict(module.named_parameters(recurse=False))
            matrix = isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d) and module is not first
            power = (-0.5 if module is last else 0.0) + (-0.5 if flat and matrix else 0.0)
            if matrix and power:
                with torch.no_grad():
                    module.weight.mul_(times**power)  # type: ignore[operator]
            weight = {"sgd": -1.0 if module is last else 0.0, "adam": -1.0}[rule] if matrix else {"sgd": 1.0, "adam": 0.0}[rule]
            other = 1.0 if rule == "sgd" and module is not last else 0.0  # biases and norms: as long as the layer is wide
            module.rate_shares = {name: times ** (weight if name == "weight" else other) for name in own}  # type: ignore[assignment]
        return model

    def _ends(self, model: nn.Module, run: Run) -> tuple[nn.Module | None, nn.Linear]:
        """The layer that reads the data (None: embeddings do), and the output layer. Raises for what has no known width."""
        known = {layer: name for name, layer in weighted(model)}
        ends = output_layer(model)
        last = next((layer for layer in reversed(known) if layer.weight in ends), None)
        embeddings = [module for module in model.modules() if isinstance(module, EMBEDDINGS)]
        if last is not None and any(module.weight is last.weight for module in embeddings):
            raise Refused(TIED)
        for name, module in model.named_modules():
            if module in known or module in embeddings:
                continue
            for parameter, p in module.named_parameters(recurse=False):
                if p.dim() > 1:
                    raise BadInput(UNKNOWN, name=f"{name}.{parameter}".lstrip("."))
        first = None if run.data.facts.vocab is not None else next(iter(known), None)
        if last is None or first is last or not isinstance(last, nn.Linear):
            raise BadInput(NO_HIDDEN)
        return first, last

    @classmethod
    def example(cls) -> MuP:
        return cls(base_width=2)
