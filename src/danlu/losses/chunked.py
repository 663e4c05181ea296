"""Cross-entropy that never holds the scores of all positions at once: the output layer runs over a chunk of them at a time.

With a vocabulary of V, the scores of N positions and their gradients are 2 N V numbers, which for a language model is often the most of
all that a step holds. Here the model stops before its output layer; that layer and the loss are taken over `chunk` positions at a time, and
again in the backward pass (Chen et al. 2016), so that only 2 chunk V are ever there. Sums are those of `cross_entropy`, in another order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils._pytree import register_pytree_node
from torch.utils.checkpoint import checkpoint

from danlu import messages
from danlu.core import Batch, Loss
from danlu.data.source import Facts
from danlu.errors import Refused
from danlu.fields import PositiveInt
from danlu.losses.classification import CrossEntropy
from danlu.losses.criterion import Criterion, forward, logits


@dataclass(frozen=True)
class ChunkedCrossEntropy(CrossEntropy):
    """Cross-entropy over a large vocabulary in little memory: as `cross_entropy`, a chunk of positions at a time, again in backward.

    The model's scores must be what its last linear layer returns. Validation sees all scores of a micro-batch, without gradients.

    chunk: positions whose scores are held at once ｜ 同时保存多少个位置的得分

    中文: 分块交叉熵：大词表时分块计算得分与损失，反向时重算，不保存全部得分。

    中文: 模型的得分必须就是其最后一个线性层的输出。验证时一次给出一个微批的全部得分，不求梯度。
    Scope: 1.2, 6.6
    """

    chunk: PositiveInt = 1024

    def __call__(self, facts: Facts) -> Criterion:
        whole = super().__call__(facts)
        return Chunked(**{each.name: getattr(whole, each.name) for each in fields(whole)}, chunk=self.chunk)


@dataclass(frozen=True)
class Hidden:
    """What goes into the output layer, in the place of what comes out of it: no one may take it for scores."""

    tensor: Tensor


register_pytree_node(Hidden, lambda hidden: ([hidden.tensor], None), lambda parts, _: Hidden(*parts))


@dataclass(frozen=True)
class Chunked(Criterion):
    """A criterion of sums over positions, `chunk` of them at a time where gradients are taken."""

    chunk: int = 1
    heads: WeakKeyDictionary[nn.Module, nn.Module] = field(default_factory=WeakKeyDictionary)  # the output layer of each model

    def meet(self, model: nn.Module, batch: Batch) -> None:
        self.heads[model] = _head(model, batch.inputs)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        if not torch.is_grad_enabled():
            return self.sums(forward(model, batch.inputs), batch)
        head = self.heads[model]
        hidden = _stopped(model, head, batch.inputs)
        lead = hidden.shape[:-1]
        target = batch.targets.reshape(lead.numel(), -1) if batch.targets.is_floating_point() else batch.targets.reshape(-1)
        per: list[str] = []

        def chunk(x: Tensor, own: Tensor) -> Tensor:
            ((_, (value, name)),) = self.sums(head(x), Batch(None, own, batch.ids)).terms.items()
            per.append(name)
            return value

        parts = zip(hidden.reshape(-1, hidden.shape[-1]).split(self.chunk), target.split(self.chunk))
        values = [checkpoint(chunk, x, own, use_reentrant=False, preserve_rng_state=False) for x, own in parts]
        return Loss({"cross_entropy": (torch.stack(values).sum(), per[0])})


def _head(model: nn.Module, inputs: Any) -> nn.Module:
    """The linear layer whose output is the model's scores. Raises Refused where there is none."""
    made: list[tuple[Any, nn.Module]] = []
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    hooks = [layer.register_forward_hook(lambda layer, args, output: made.append((output, layer))) for layer in layers]
    try:
        output = forward(model, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    scores = logits(output)
    head = next((layer for found, layer in made if found is scores), None)
    if head is None or head is model:
        raise Refused(messages.NO_HEAD, model=type(model).__name__)
    return head


def _stopped(model: nn.Module, head: nn.Module, inputs: Any) -> Tensor:
    """What goes into the output layer."""
    head.forward = Hidden  # type: ignore[assignment]
    try:
        output = forward(model, inputs)
    finally:
        del head.forward
    hidden = output if isinstance(output, Hidden) else output["logits"] if isinstance(output, dict) else output.logits
    return hidden.tensor
