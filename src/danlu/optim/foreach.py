"""What the optimisers share that torch does not have: one step over whole lists of tensors, and the gradients that they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from danlu import messages
from danlu.errors import BadInput
from danlu.find.names import snake
from danlu.optim.reach import Reach

BLOCK = 1 << 18  # numbers: a block's tensors and what is made of them stay in a processor's cache


class Touched(NamedTuple):
    """The parameters of one group that have a gradient in this step, with their gradients and states, in the same order."""

    group: dict[str, Any]
    params: list[Tensor]
    grads: list[Tensor]
    states: list[dict[str, Any]]

    def of(self, name: str) -> list[Tensor]:
        """One entry of every state."""
        return [state[name] for state in self.states]


class Foreach(torch.optim.Optimizer):
    """A subclass says how the state of a parameter begins (`fresh`) and how the parameters of a group move (`move`).

    params: as for any torch optimiser; the dicts are not changed. Options are those of a group; the description checks their ranges.
    Nothing is read back from the device. `states[i]["step"]` is how often parameter i has been stepped, this step included: a Python int.
    Raises BadInput for complex parameters and for sparse gradients.
    """

    moves_groups: ClassVar[bool] = False  # a step of a group with a gradient changes the group's own values
    reach: ClassVar[Reach] = "model"  # what must be seen together to move one number of it, see danlu.optim.reach

    def __init__(self, params: Iterable[Any], **options: Any):
        entries = [dict(entry) if isinstance(entry, dict) else entry for entry in params]
        super().__init__(entries, options)
        self.known_as = snake(type(self).__name__.removesuffix("Optimizer"))
        for group in self.param_groups:
            for number, p in enumerate(group["params"]):
                if p.is_complex():
                    raise BadInput(messages.COMPLEX, name=[*group.get("param_names", ()), *map(str, range(number + 1))][number])

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def move(self, touched: Touched) -> None:
        raise NotImplementedError

    def descend(self, parts: list[Touched]) -> None:
        """All groups of one step, for a subclass that must look at them together."""
        for touched in parts:
            self.move(touched)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self.descend([touched for group in self.param_groups if (touched := self._touched(group)).params])
        return loss

    def _touched(self, group: dict[str, Any]) -> Touched:
        params, grads = [], []
        for p in group["params"]:
            if (grad := p.grad) is not None:
                state = self.state[p]
                if not state:
                    if grad.is_sparse:
                        raise BadInput(messages.SPARSE_GRADIENT, optimizer=self.known_as, shape=tuple(p.shape))
                    state.update({"step": 0, **self.fresh(p, grad, group)})
                state["step"] += 1
                params.append(p)
                grads.append(grad)
        return Touched(group, params, grads, [self.state[p] for p in params])


def blocks(*lists: list[Tensor]) -> Iterator[list[list[Tensor]]]:
    """The same lists in parts, as views, for foreach calls that write in place and keep nothing.

    On a CPU each call is a pass over memory, and what it makes anew is memory that the system has to find: large tensors are cut, so that
    the calls on one part find it in the cache. Lion on 10.8 million numbers takes 0.3 of the time. Elsewhere, and where torch.compile makes
    one loop of the calls, there is one part.
    """
    if not lists[0] or not lists[0][0].is_cpu or torch.compiler.is_compiling():
        yield list(lists)
        return
    part: list[list[Tensor]] = [[] for _ in lists]
    filled = 0
    for row in zip(*lists):
        size = row[0].numel()
        if size > BLOCK and all(x.is_contiguous() and type(x.data) is Tensor for x in row):
            for pieces in zip(*(x.view(-1).split(BLOCK) for x in row)):
                yield [[piece] for piece in pieces]
            continue
        for column, x in zip(part, row):
            column.append(x)
        filled += size
        if filled > BLOCK:
            yield part
            part, filled = [[] for _ in lists], 0
    if filled:
        yield part


def zeros(p: Tensor) -> Tensor:
    """A zero for each number of `p`, laid out like it."""
    return torch.zeros_like(p, memory_format=torch.preserve_format)


def adam(touched: Touched, betas: tuple[float, float], eps: float) -> list[Tensor]:
    """Adam's direction (Kingma & Ba 2015, algorithm 1) as new tensors: the corrected first moment over the root of the corrected second.

    The states "exp_avg" and "exp_avg_sq" are moved.
    """
    first, second, steps = touched.of("exp_avg"), touched.of("exp_avg_sq"), [state["step"] for state in touched.states]
    torch._foreach_lerp_(first, touched.grads, 1 - betas[0])
    torch._foreach_mul_(second, betas[1])
    torch._foreach_addcmul_(second, touched.grads, touched.grads, 1 - betas[1])
    scale = torch._foreach_div(second, [1 - betas[1] ** step for step in steps])
    torch._foreach_sqrt_(scale)
    torch._foreach_add_(scale, eps)
    torch._foreach_mul_(scale, [1 - betas[0] ** step for step in steps])
    return list(torch._foreach_div(first, scale))
