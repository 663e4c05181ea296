"""The loss around the weights: how far it rises within a distance, and its shape along two directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from danlu.curvature.hessian import Hessian


@dataclass(frozen=True)
class Rise:
    """How far the loss rises at a distance (radius, the Euclidean norm over all weights) from where it is (loss).

    worst: the most that was found. ahead: along the gradient, where SAM looks. mean: over random directions.
    """

    radius: float
    loss: float
    worst: float
    ahead: float
    mean: float


def sharpness(hessian: Hessian, radius: float, starts: Sequence[Tensor] = (), steps: int = 10, draws: int = 8, seed: int = 0) -> Rise:
    """The rise of the loss within `radius`: what SAM makes small (Foret et al. 2021), and Keskar et al. 2017 measured.

    The worst is sought by gradient ascent on the sphere, from the gradient's direction and from both sides of `starts` (vectors [size]; the
    top eigenvector is a good one). It is a lower bound of the true maximum.
    """
    here = hessian.loss()

    def rise(step: Tensor) -> float:
        with hessian.moved(step):
            return hessian.loss() - here

    slope = hessian.gradient()
    uphill = slope / slope.norm() if float(slope.norm()) else hessian.draw(seed, "sharpness")
    drawn = [hessian.draw(seed, "sharpness", number) for number in range(draws)]
    ahead = rise(_long(uphill, radius))
    worst = ahead
    for start in [uphill, *(side * start for start in starts for side in (1, -1))]:
        step = _long(start, radius)
        for _ in range(steps):
            with hessian.moved(step):
                slope = hessian.gradient()
            if not float(slope.norm()):
                break
            step = _long(slope + step * (slope.norm() / radius), radius)  # half of the way there: a full step may swing between two sides
            worst = max(worst, rise(step))
    return Rise(radius, here, worst, ahead, fmean(rise(_long(v, radius)) for v in drawn))


@dataclass(frozen=True)
class Surface:
    """losses [points, points]: at x along the first direction (columns) and y along the second (rows), both in `places`."""

    places: np.ndarray
    losses: np.ndarray


def surface(hessian: Hessian, directions: tuple[Tensor, Tensor], span: float = 1.0, points: int = 21) -> Surface:
    """The loss over the plane of two directions [size], from -span to span along each; an odd number of points has the weights' own."""
    places = np.linspace(-span, span, points)
    first, second = directions
    losses = np.empty((points, points))
    for row, y in enumerate(places):
        for column, x in enumerate(places):
            with hessian.moved(float(x) * first + float(y) * second):
                losses[row, column] = hessian.loss()
    return Surface(places, losses)


def filter_normalised(hessian: Hessian, *key: int | str) -> Tensor:
    """A random direction [size] each of whose filters is as long as the weights' own (Li et al. 2018, "Visualizing the loss landscape").

    A filter is what makes one output: a row of a matrix, a kernel of a convolution, the vector of a token. Biases and norms stay. Without
    this, a net looks flat where its weights are large, which says nothing: ReLU nets can be rescaled.
    """
    pieces = []
    for p, drawn in zip(hessian.parameters.values(), hessian.split(hessian.draw(*key))):
        if p.dim() < 2:
            pieces.append(torch.zeros_like(p))
            continue
        own, random = p.detach().flatten(1).norm(dim=1), drawn.flatten(1).norm(dim=1)
        pieces.append(drawn * (own / random).view(-1, *[1] * (p.dim() - 1)))
    return hessian.flat(pieces)


def _long(vector: Tensor, length: float) -> Tensor:
    return vector * (length / vector.norm())
