"""Gradient surgery for objectives of several parts: PCGrad (Yu et al. 2020, "Gradient surgery for multi-task learning").

Where the gradients of two parts point against each other, each loses what it has of the other's direction; then they are added up. A part
is a named term of the loss: a task, an auxiliary loss, a penalty.

Formula: gᵢ ← gᵢ - (gᵢ·gⱼ / |gⱼ|²) gⱼ for every j with gᵢ·gⱼ < 0, in a random order; then ∇ ← Σ gᵢ
When it helps: several tasks or losses on shared weights, one of which undoes what another does.
What it costs: an evaluation of the model for each part, instead of one for all; a copy of the gradient for each part.
When not to use it: for an objective of one term, where it changes nothing; where parts seldom disagree, weights of the parts do as well.
Failure signals: a part whose loss stands still: the others always win over it; give it a weight. Noise rises with small batches, whose
gradients disagree by chance.
Interactions: listed outside `clip` it operates on clipped parts, inside it on plain ones. Penalties (`l1`, `l2`, `elastic`) are parts too.

原理: 梯度手术：损失的两个部分若梯度方向相反，各自去掉在对方方向上的分量，然后再相加。每个有名字的损失项算一个部分。
公式: 对每个满足 gᵢ·gⱼ < 0 的 j（随机顺序）：gᵢ ← gᵢ - (gᵢ·gⱼ / |gⱼ|²) gⱼ；然后 ∇ ← Σ gᵢ
何时有用: 多个任务或损失共用权重，彼此抵消。
代价: 每个部分各算一次模型，而不是合算一次；每个部分存一份梯度。
何时不用: 只有一项的损失（不起作用）；各部分很少冲突时，给它们加权同样有效。
失效信号: 某个部分的损失不再变化：总被其他部分压过，请给它加权。批次小时梯度会偶然冲突，噪声随之增大。
相互作用: 列在 `clip` 外面则对裁剪后的各部分动手术，列在里面则对原梯度。罚项（`l1`、`l2`、`elastic`）也算部分。

Scope: 10.4, 3.1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from danlu.core import Batch, Gradient, Loss, Objective, Outcome, Run, Technique
from danlu.errors import BadInput, Sentence
from danlu.keys import mix

NO_TERM = Sentence(
    "pcgrad.terms names `{term}`, which the loss does not have; its terms are {found}",
    "pcgrad.terms 中的 `{term}` 不是损失的一部分；现有 {found}",
)


@dataclass
class PCGrad(Technique):
    """Project each part's gradient off the directions of the other parts that it conflicts with, then add them up.

    terms: parts by name; the others together are one more (none named: every term of the loss is a part)
        ｜ 按名称给出的部分；其余各项合为一个部分（不写则损失的每一项各为一个部分）
    中文: 梯度手术（PCGrad）：各部分损失的梯度若相互冲突，则先投影去掉冲突的分量再相加。
    """

    name = "pcgrad"

    terms: tuple[str, ...] = ()

    neutral: ClassVar = "no field turns it off: gradients of parts that conflict are always changed"
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        parameters = run.trainable()

        def operated(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            parts, outcome = self._apart(gradient, objective, batches, parameters)
            if len(parts) > 1:
                orders = _orders(len(parts), mix(run.seed, "pcgrad", batches[0].step))
                whole = [[torch.zeros_like(p) if g is None else g for p, g in zip(parameters, part)] for part in parts]
                for place, (p, grad) in enumerate(zip(parameters, surgery(whole, orders, run.placement.dot))):
                    p.grad = None if all(part[place] is None for part in parts) else grad
            return outcome

        return operated

    def _apart(
        self, gradient: Gradient, objective: Objective, batches: Sequence[Batch], parameters: Sequence[nn.Parameter]
    ) -> tuple[list[list[Tensor | None]], Outcome]:
        """The gradient of each part, and the outcome of all of them. The terms' names are known once the first was looked at."""
        parts: list[list[str]] = []

        def only(place: int) -> Objective:
            def one(model: nn.Module, batch: Batch) -> Loss:
                loss = objective(model, batch)
                parts[:] = self._parts(list(loss.terms))
                return Loss({name: loss.terms[name] for name in parts[place]})

            return one

        outcome = gradient(only(0), batches)
        grads = [[p.grad for p in parameters]]
        for place in range(1, len(parts)):
            more = gradient(only(place), batches)
            grads.append([p.grad for p in parameters])
            outcome.sums |= more.sums
            outcome.overflow = outcome.overflow + more.overflow
        return grads, outcome

    def _parts(self, terms: list[str]) -> list[list[str]]:
        for name in self.terms:
            if name not in terms:
                raise BadInput(NO_TERM, term=name, found=", ".join(terms))
        if not self.terms:
            return [[name] for name in terms]
        others = [name for name in terms if name not in self.terms]
        return [*([name] for name in self.terms), *([others] if others else [])]

    @classmethod
    def example_fields(cls) -> dict[str, Any]:
        """What the laws' recipe must have for it to do something: a loss of two parts that conflict."""
        from danlu.testing.tiny import tiny_parts

        return {"loss": tiny_parts}


def _orders(count: int, key: int) -> list[list[int]]:
    """For each part, the others in a random order."""
    return [[j for _, j in sorted((mix(key, i, j), j) for j in range(count) if j != i)] for i in range(count)]


@torch.no_grad()
def surgery(parts: list[list[Tensor]], orders: list[list[int]], dot: Callable[[list[Tensor], list[Tensor]], Tensor]) -> list[Tensor]:
    """The sum of the parts' gradients, each projected off those of the others that it conflicts with, in the order given for it.

    parts: each a list of tensors, one a parameter. dot: the inner product of two such lists, 0-d. (Algorithm 1 of the paper.)
    """
    squares = [dot(part, part) for part in parts]
    total = [torch.zeros_like(tensor) for tensor in parts[0]]
    for part, order in zip(parts, orders):
        own = [tensor.clone() for tensor in part]
        for other in order:
            along = dot(own, parts[other])
            share = torch.where(along < 0, along / squares[other], torch.zeros_like(along))  # nothing is read from the device
            torch._foreach_sub_(own, torch._foreach_mul(parts[other], share))
        torch._foreach_add_(total, own)
    return total
