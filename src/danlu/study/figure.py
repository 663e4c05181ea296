"""Figures in both languages (stub: the interface is settled, the bodies follow)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from danlu.errors import Sentence


@dataclass(frozen=True)
class Curve:
    """Measured: values [seeds][points] over x [points]; drawn as mean, 95 % t-band and a thin line for each seed. Needs two seeds."""

    label: Sentence
    x: Sequence[float]
    values: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Theory:
    """Predicted: a dashed line without a band."""

    label: Sentence
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Axes:
    title: Sentence
    x: Sentence
    y: Sentence
    log_x: bool = False
    log_y: bool = False


def draw(stem: str | os.PathLike[str], axes: Axes, lines: Sequence[Curve | Theory]) -> tuple[Path, Path]:
    """`STEM.en.svg` and `STEM.zh.svg`, the same bytes for the same numbers. Raises BadInput for a curve without seeds."""
    raise NotImplementedError


def bars(stem: str | os.PathLike[str], axes: Axes, groups: Sequence[tuple[Sentence, Sequence[float]]]) -> tuple[Path, Path]:
    """One bar a group: the mean of its seeds, a 95 % t-interval, a dot for each seed."""
    raise NotImplementedError
