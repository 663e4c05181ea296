"""The Hessian of a loss, known by its products with vectors (Pearlmutter 1994): it is never written out.

A loss is a function without arguments that gives a 0-d tensor with a graph, or several that add up (parts of a batch that do not fit in
memory together). Vectors are flat: all parameters after one another, in the order given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from danlu.core import Batch, Run
from danlu.data.source import Rows
from danlu.keys import generator

if TYPE_CHECKING:
    from danlu.use.load import Trained

Loss = Callable[[], Tensor | Iterable[Tensor]]


class Hessian:
    """The second derivatives of `loss` by `parameters` (by name) where they are now: `hessian @ v` for v [size] is [size]."""

    def __init__(self, loss: Loss, parameters: Mapping[str, Tensor]):
        self.parameters = dict(parameters)
        self._loss = loss
        self.size = sum(p.numel() for p in self.parameters.values())

    def parts(self) -> Iterator[Tensor]:
        """The summands of the loss, each with its graph."""
        made = self._loss()
        yield from [made] if isinstance(made, Tensor) else made

    def loss(self) -> float:
        """The loss at the parameters as they are."""
        with torch.no_grad():
            return float(sum(float(part) for part in self.parts()))

    def gradient(self) -> Tensor:
        """[size]"""
        total = self.zeros()
        for part in self.parts():
            total += self.flat(torch.autograd.grad(part, list(self.parameters.values()), allow_unused=True))
        return total

    def __matmul__(self, vector: Tensor) -> Tensor:
        params, total = list(self.parameters.values()), self.zeros()
        pieces = self.split(vector)
        for part in self.parts():
            grads = torch.autograd.grad(part, params, create_graph=True, allow_unused=True)
            bent = [(g, v) for g, v in zip(grads, pieces) if g is not None and g.requires_grad]  # others are constant: no curvature
            if bent:
                product = torch.stack([(g * v).sum() for g, v in bent]).sum()
                total += self.flat(torch.autograd.grad(product, params, allow_unused=True))
        return total

    def zeros(self) -> Tensor:
        first = next(iter(self.parameters.values()))
        return torch.zeros(self.size, dtype=first.dtype, device=first.device)

    def draw(self, *key: int | str) -> Tensor:
        """Standard normal numbers [size] that depend on the key alone."""
        return torch.randn(self.size, generator=generator(*key), dtype=torch.float64).to(self.zeros())

    def flat(self, tensors: Iterable[Tensor | None]) -> Tensor:
        """Tensors like the parameters as one vector; None is zero."""
        pairs = zip(tensors, self.parameters.values(), strict=True)
        return torch.cat([torch.zeros_like(p).reshape(-1) if t is None else t.detach().reshape(-1) for t, p in pairs])

    def split(self, vector: Tensor) -> list[Tensor]:
        """A vector as tensors in the parameters' shapes."""
        params = list(self.parameters.values())
        return [piece.view_as(p) for piece, p in zip(vector.split([p.numel() for p in params]), params)]

    @contextmanager
    def moved(self, vector: Tensor) -> Iterator[None]:
        """Inside, the parameters are off by `vector`; afterwards they are what they were, bit for bit."""
        kept = [p.detach().clone() for p in self.parameters.values()]
        try:
            with torch.no_grad():
                for p, step in zip(self.parameters.values(), self.split(vector)):
                    p.add_(step)
            yield
        finally:
            with torch.no_grad():
                for p, old in zip(self.parameters.values(), kept):
                    p.copy_(old)


@contextmanager
def of_run(run: Run | Trained, rows: Rows, count: int = 512) -> Iterator[Hessian]:
    """The Hessian of a run's plain loss, its mean over `count` of the rows (drawn by the seed), by what is trained.

    The model is in eval mode inside: no dropout, BatchNorm by its running statistics; precision is that of the weights. Nothing is moved.
    """
    order = torch.randperm(len(rows), generator=generator(run.seed, "hessian"))[:count].sort().values
    batches = [_batch(run, rows, ids) for ids in order.split(run.plan.at_once)]
    totals = {name: sum(float(batch.counts[name]) for batch in batches) for name in batches[0].counts}
    totals["once"] = float(len(batches))

    def loss() -> Iterator[Tensor]:
        for batch in batches:
            terms = run.criterion(run.model, batch).terms.values()
            yield torch.stack([value / max(totals[per], 1e-30) for value, per in terms]).sum()

    trained = {name: p for name, p in run.model.named_parameters() if p.requires_grad}
    with run.placement.looking(run.model), sdpa_kernel(SDPBackend.MATH):  # torch's fused attention has no second derivative
        yield Hessian(loss, trained)


def _batch(run: Run | Trained, rows: Rows, ids: Tensor) -> Batch:
    inputs, targets = rows.fetch(ids, 0)
    batch: Batch = Batch(run.placement.put(inputs), run.placement.put(targets), ids.to(run.placement.device))
    batch.counts = {"rows": len(ids), "once": 1.0, **run.criterion.counts(batch)}
    return batch


@dataclass(frozen=True)
class Top:
    """The ends of the spectrum. values: the largest eigenvalues, falling, each with the most it may be off (errors) and its vector.

    lowest: the smallest eigenvalue of all. nodes, weights: where the spectrum lies, as the share of a random direction (a density).
    """

    values: list[float]
    errors: list[float]
    vectors: Tensor  # [values, size]
    lowest: float
    nodes: list[float]
    weights: list[float]
    products: int


def top(hessian: Hessian, count: int = 5, steps: int = 80, tolerance: float = 1e-3, seed: int = 0) -> Top:
    """The `count` largest eigenvalues by Lanczos' method (1950), in at most `steps` products, or until each is known to `tolerance`.

    Every new direction is made orthogonal to all before it, twice, so that no eigenvalue appears twice. One that is there several times in
    the Hessian is found once. The density is stochastic Lanczos quadrature (Golub and Welsch 1969; Ghorbani et al. 2019).
    """
    q = hessian.draw(seed, "lanczos")
    basis = [q / q.norm()]
    alphas: list[float] = []
    betas: list[float] = []
    count = min(count, hessian.size)
    while True:
        w = hessian @ basis[-1]
        alphas.append(float(basis[-1].double() @ w.double()))
        known = torch.stack(basis)
        for _ in range(2):
            w = w - known.T @ (known @ w)
        beta = float(w.norm())
        values, vectors = _ritz(alphas, betas)
        largest = float(values.abs().max())
        errors = beta * vectors[-1].abs()
        exhausted = beta <= 1e-6 * largest or len(basis) == hessian.size
        sure = len(basis) >= count + 2 and float(errors[-count:].max()) <= tolerance * largest
        if exhausted or sure or len(basis) >= steps:
            break
        betas.append(beta)
        basis.append(w / beta)
    places = list(range(len(values) - 1, -1, -1))[:count]
    found = vectors.T[places].to(known) @ known
    weights = vectors[0].square()
    left = errors if not exhausted else torch.zeros_like(errors)
    values_found, most_off = [float(values[k]) for k in places], [float(left[k]) for k in places]
    return Top(values_found, most_off, found, float(values[0]), values.tolist(), weights.tolist(), len(basis))


def _ritz(alphas: list[float], betas: list[float]) -> tuple[Tensor, Tensor]:
    off = torch.tensor(betas, dtype=torch.float64)
    tridiagonal = torch.diag(torch.tensor(alphas, dtype=torch.float64)) + torch.diag(off, 1) + torch.diag(off, -1)
    found = torch.linalg.eigh(tridiagonal)
    return found.eigenvalues, found.eigenvectors


@dataclass(frozen=True)
class Trace:
    """The sum of all eigenvalues. mean: the estimate, error: its standard error; draws: what each vector said; blocks: by parameter."""

    mean: float
    error: float
    draws: list[float]
    blocks: dict[str, float]


def trace(hessian: Hessian, draws: int = 32, seed: int = 0) -> Trace:
    """The trace by Hutchinson's estimate (1990): the mean of v . Hv over vectors of random signs. The blocks add up to it."""
    said: list[float] = []
    blocks = dict.fromkeys(hessian.parameters, 0.0)
    for number in range(draws):
        v = hessian.draw(seed, "hutchinson", number).sign()
        products = hessian.split(v * (hessian @ v))
        own = [float(piece.double().sum()) for piece in products]
        said.append(sum(own))
        for name, value in zip(blocks, own):
            blocks[name] += value / draws
    values = torch.tensor(said, dtype=torch.float64)
    error = float(values.std() / draws**0.5) if draws > 1 else float("inf")
    return Trace(float(values.mean()), error, said, blocks)
