"""The Fisher information of what a model says: gradients at its outputs whose outer products are the curvature of the loss there.

A classification's output is the logits of a categorical distribution (or of one coin a label), a regression's the mean of a normal one
whose log-likelihood is the squared error. The Fisher is taken over targets drawn from the model, not over those of the data (Martens 2014,
"New insights and perspectives on the natural gradient method", section 5: with the data's it is another matrix, the "empirical" Fisher).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import pi
from typing import Literal

import torch
from torch import Tensor

from danlu.core import Batch
from danlu.keys import uniform

Fisher = Literal["sampled", "exact", "empirical"]


def gradients(output: Tensor, batch: Batch, task: str, fisher: Fisher, key: tuple[int | str, ...], ignore_index: int) -> Iterator[Tensor]:
    """Tensors like `output` [rows, ...] (float32 or wider): the sum of their outer products, position by position, is the Fisher there.

    fisher: "sampled" is one tensor, drawn by (key, sample id), right on average; "exact" is one for each column of the output.
    """
    z = output.detach()
    if task == "regress":
        yield from _normal(z, batch, fisher, key)
    elif task == "multilabel":
        yield from _coins(z, batch, fisher, key)
    else:
        yield from _categorical(z, batch, fisher, key, ignore_index)


def bent(
    output: Tensor, batch: Batch, task: str, fisher: Fisher, key: tuple[int | str, ...], ignore_index: int
) -> Callable[[Tensor], Tensor]:
    """The product of the same Fisher with tensors like `output`, position by position; the exact one in closed form."""
    z = output.detach()
    if fisher != "exact":
        drawn = next(gradients(z, batch, task, fisher, key, ignore_index))
        return along(drawn)
    if task == "regress":
        return lambda u: 2 * u
    if task == "multilabel":
        spread = z.sigmoid() * (1 - z.sigmoid())
        return lambda u: spread * u
    share, counted = z.softmax(-1), _counted(z, batch, ignore_index)
    return lambda u: share * (u - (share * u).sum(-1, keepdim=True)) * counted


def along(drawn: Tensor) -> Callable[[Tensor], Tensor]:
    """The product with the outer product of `drawn`, position by position."""
    return lambda u: drawn * (drawn * u).sum(-1, keepdim=True) if drawn.dim() > 1 else drawn.square() * u


def _counted(z: Tensor, batch: Batch, ignore_index: int) -> Tensor:
    """1 for each position that the loss counts, 0 for those without a label: [..., 1]."""
    if isinstance(batch.targets, Tensor) and not batch.targets.is_floating_point() and batch.targets.shape == z.shape[:-1]:
        return (batch.targets != ignore_index).unsqueeze(-1).to(z)
    return torch.ones_like(z[..., :1])


def _categorical(z: Tensor, batch: Batch, fisher: Fisher, key: tuple[int | str, ...], ignore_index: int) -> Iterator[Tensor]:
    share, counted = z.softmax(-1), _counted(z, batch, ignore_index)
    if fisher == "sampled":
        drawn = _uniform(z[..., 0], batch, key).unsqueeze(-1)
        label = (share.cumsum(-1) < drawn).sum(-1, keepdim=True).clamp(max=z.shape[-1] - 1)
        yield (share - torch.zeros_like(share).scatter_(-1, label, 1.0)) * counted
        return
    for column in range(z.shape[-1]):  # sqrt(p_c) (p - e_c): their outer products sum to diag(p) - p p^T
        own = share[..., column : column + 1]
        wide = share.clone()
        wide[..., column] -= 1
        yield own.sqrt() * wide * counted


def _coins(z: Tensor, batch: Batch, fisher: Fisher, key: tuple[int | str, ...]) -> Iterator[Tensor]:
    share = z.sigmoid()
    if fisher == "sampled":
        yield share - (_uniform(z, batch, key) < share).to(z)
        return
    yield from _one_by_one((share * (1 - share)).sqrt())


def _normal(z: Tensor, batch: Batch, fisher: Fisher, key: tuple[int | str, ...]) -> Iterator[Tensor]:
    root = 2.0**0.5  # the squared error is the negative log-likelihood of a variance of one half: its curvature is 2
    if fisher == "sampled":
        pairs = _uniform(torch.stack([z, z], 1), batch, key)
        yield root * (-2 * (1 - pairs[:, 0]).log()).sqrt() * (2 * pi * pairs[:, 1]).cos()  # Box and Muller 1958
        return
    yield from _one_by_one(torch.full_like(z, root))


def _one_by_one(values: Tensor) -> Iterator[Tensor]:
    """Each column of the last dimension alone: what is independent has a diagonal Fisher."""
    if values.dim() == 1:
        yield values
        return
    for column in range(values.shape[-1]):
        alone = torch.zeros_like(values)
        alone[..., column] = values[..., column]
        yield alone


def _uniform(like: Tensor, batch: Batch, key: tuple[int | str, ...]) -> Tensor:
    """Uniforms in the shape of `like`, rows first."""
    return uniform(batch.ids, *key, shape=tuple(like.shape[1:])).to(like)
