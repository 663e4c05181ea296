"""The Fisher or Gauss-Newton matrix J^T H J of a whole model: products with it that never form it, and for small models the matrix.

J is the derivative of the outputs by the weights, H the curvature of the loss at the outputs, position by position. J^T u is one reverse
pass, and J v the derivative of J^T u by u, along v: a second one (Schraudolph 2002, "Fast curvature matrix-vector products").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from danlu.placement.memory import out_of_memory

CHUNK = 1 << 22  # numbers of J that are held at once


@dataclass(frozen=True)
class Linear:
    """A micro-batch's outputs as a function of the weights, near the weights: its J and H."""

    output: Tensor  # [rows, ...], with the graph that made it
    weights: Sequence[Tensor]
    bent: Callable[[Tensor], Tensor]  # H times a tensor like the output

    def backward(self, u: Tensor) -> list[Tensor]:
        """J^T u, in the shapes of the weights."""
        return _there(torch.autograd.grad(self.output, self.weights, u.to(self.output.dtype), retain_graph=True, allow_unused=True), self)

    def forward(self) -> Callable[[Sequence[Tensor]], Tensor]:
        """v, in the shapes of the weights, -> J v. Raises RuntimeError where torch knows no second derivative."""
        u = torch.zeros_like(self.output, requires_grad=True)
        back = torch.autograd.grad(self.output, self.weights, u, create_graph=True, allow_unused=True)
        touched = [place for place, g in enumerate(back) if g is not None and g.requires_grad]
        made = [g for place in touched if (g := back[place]) is not None]

        def along(v: Sequence[Tensor]) -> Tensor:
            if not touched:
                return torch.zeros_like(self.output)
            return torch.autograd.grad(made, u, [v[place] for place in touched], retain_graph=True, materialize_grads=True)[0]

        return along

    def product(self) -> Callable[[Sequence[Tensor]], list[Tensor]]:
        """v -> J^T H J v, both in the shapes of the weights."""
        forward = self.forward()
        return lambda v: self.backward(self.bent(forward(v)))

    def twice(self) -> bool:
        """Whether J v is that of the J in J^T u; false where a layer of somebody's own can be differentiated once only. Asks the device."""
        u = torch.cos(torch.arange(self.output.numel(), device=self.output.device)).to(self.output).view_as(self.output)
        back = self.backward(u)
        square = sum(float(b.square().sum()) for b in back)
        return math.isclose(float((u * self.forward()(back)).sum()), square, rel_tol=1e-2, abs_tol=1e-30)

    def rows(self, us: Tensor) -> Tensor:
        """J^T u of each of `us` [many, ...] as a row [many, weights]: together, or one by one where hooks or layers cannot take many."""
        try:
            found = torch.autograd.grad(self.output, self.weights, us, retain_graph=True, allow_unused=True, is_grads_batched=True)
        except RuntimeError as error:
            if out_of_memory(error):
                raise
            return torch.stack([torch.cat([g.flatten() for g in self.backward(u)]) for u in us])
        return torch.cat([g.flatten(1) for g in _there(found, self, len(us))], 1)

    def matrix(self) -> Tensor:
        """J^T H J [weights, weights] in the order of the weights, each flattened, by as many rows of J at a time as fit."""
        width = self.output.shape[-1] if self.output.dim() > 1 else 1
        positions, count = self.output.numel() // width, sum(w.numel() for w in self.weights)
        unit = torch.eye(width).to(self.output)
        # H of every position [positions, width, width]: one column from each product
        h = torch.stack([self.bent(e.expand(positions, width).reshape_as(self.output)).reshape(positions, width) for e in unit], -1)
        whole = self.output.new_zeros(count, count)
        at_once = max(1, CHUNK // (width * (count + self.output.numel())))
        for start in range(0, positions, at_once):
            size = min(at_once, positions - start)
            seeds = self.output.new_zeros(size, width, positions, width)
            seeds[range(size), :, range(start, start + size)] = unit
            j = self.rows(seeds.view(-1, *self.output.shape)).view(size, width, count)
            whole.addmm_(j.flatten(0, 1).T, (h[start : start + size] @ j).flatten(0, 1))
        return whole


def second_derivative(loss: Tensor, output: Tensor) -> Callable[[Tensor], Tensor]:
    """The product with the loss's own second derivative at the outputs: H of Gauss and Newton."""
    (slope,) = torch.autograd.grad(loss, output, create_graph=True, materialize_grads=True)
    if not slope.requires_grad:  # a loss that is straight in the outputs
        return torch.zeros_like
    return lambda u: torch.autograd.grad(slope, output, u, retain_graph=True, materialize_grads=True)[0]


def solved(matrix: Tensor, right: Tensor, damping: float) -> Tensor:
    """(matrix + damping)^-1 right, by Cholesky; NaN where the matrix is not positive (nothing is read from the device).

    The damping is no less than what rounding makes of the largest eigenvalue, so a singular matrix that is a Fisher is solved too.
    """
    floor = 8 * torch.finfo(matrix.dtype).eps * matrix.diagonal().sum()
    damped = matrix + torch.diag_embed((floor.clamp(min=0) + damping).expand(len(matrix)))
    factor, wrong = torch.linalg.cholesky_ex(damped)
    found = torch.cholesky_solve(right[:, None], factor)[:, 0]
    return torch.where(wrong == 0, found, torch.full_like(found, torch.nan))


def conjugate(
    product: Callable[[Sequence[Tensor]], list[Tensor]],
    right: Sequence[Tensor],
    iterations: int,
    tolerance: float,
    dot: Callable[[Sequence[Tensor], Sequence[Tensor]], Tensor],
) -> list[Tensor]:
    """The x for which `product(x)` is `right`, by conjugate gradients from zero (Hestenes and Stiefel 1952).

    tolerance: ends when the rest is smaller than this share of `right`. Where the matrix turns out not to be positive along a direction, or
    not finite, x stays what it was; at the very first, it is `right` (Steihaug 1983 does the same in a trust region).
    """
    x = [torch.zeros_like(r) for r in right]
    rest, way = [r.clone() for r in right], [r.clone() for r in right]
    size = dot(rest, rest)
    enough = tolerance**2 * size
    for turn in range(iterations):
        going = size > enough
        if going.is_cpu and not bool(going):  # elsewhere asking would wait; what follows then changes nothing
            break
        bend = product(way)
        along = dot(way, bend)
        going = going & (along > 0) & along.isfinite()
        step = torch.where(going, size / along, torch.zeros_like(along))
        if turn == 0:
            x = [torch.where(going | (size <= enough), w * step, w) for w in way]
        else:
            torch._foreach_add_(x, torch._foreach_mul(way, step))
        torch._foreach_sub_(rest, [torch.where(going, b * step, torch.zeros_like(b)) for b in bend])
        now = dot(rest, rest)
        share = torch.where(going, now / size, torch.zeros_like(now))
        way = [torch.where(going, r + w * share, w) for r, w in zip(rest, way)]
        size = torch.where(going, now, torch.zeros_like(now))  # a direction that failed ends it
    return x


def _there(found: Sequence[Tensor | None], linear: Linear, batched: int | None = None) -> list[Tensor]:
    """Zeros for weights that the outputs do not depend on."""
    lead = () if batched is None else (batched,)
    return [w.new_zeros(*lead, *w.shape) if g is None else g for g, w in zip(found, linear.weights)]
