"""Factors of the learning rate as pure functions of the step, and how they compose."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Literal

from danlu import messages
from danlu.errors import BadInput

Factor = Callable[[int], float]
Shape = Literal["linear", "exponential"]


def compose(*factors: Factor) -> Factor:
    """The product of the factors at every step."""

    def product(step: int) -> float:
        value = 1.0
        for factor in factors:
            value *= factor(step)
        return value

    return product


def sequence(parts: Sequence[tuple[int, Factor]]) -> Factor:
    """Each (steps, factor) lasts its number of steps and counts them from its own start; after the last, the value at its end stays."""
    parts = [(steps, factor) for steps, factor in parts if steps > 0]
    starts = [sum(steps for steps, _ in parts[:place]) for place in range(len(parts))]

    def joined(step: int) -> float:
        place = bisect_right(starts, step) - 1
        steps, factor = parts[place]
        return factor(min(step - starts[place], steps))

    return joined


def warmup_steps(warmup: float, total_steps: int) -> int:
    """`warmup` as a number of steps: below 1 it is a share of the total, which always leaves one step to the schedule proper.

    Raises BadInput if a number of steps leaves none.
    """
    if warmup < 1:
        return min(round(warmup * total_steps), total_steps - 1)
    if round(warmup) >= total_steps:
        raise BadInput(messages.WARMUP_TOO_LONG, warmup=warmup, total=total_steps)
    return round(warmup)


def ramp(steps: int, shape: Shape) -> Factor:
    """The climb of a warm-up: step s has done (s + 1) of the steps + 1 strides, so that none has a rate of 0 and step `steps` has 1.

    "linear" climbs by equal amounts (Goyal et al. 2017), "exponential" by equal ratios, from a hundredth.
    """
    if shape == "linear":
        return lambda step: (step + 1) / (steps + 1)
    return lambda step: 0.01 ** (1 - (step + 1) / (steps + 1))


def warmed(body: Factor, warmup: int, shape: Shape, steps: int) -> Factor:
    """`warmup` steps of climbing to the first value of `body`, then `steps` steps of it."""
    first = body(0)
    return sequence([(warmup, compose(ramp(warmup, shape), lambda _: first)), (steps, body)])
