"""The rate at each step, and that only the step decides it."""

import math

import pytest
import toys
from torch import nn

from danlu.core import Run
from danlu.errors import BadInput
from danlu.nets.dropout import Dropout, DropPath
from danlu.techniques.objective.dropout_schedule import DropoutSchedule


def both():
    return nn.Sequential(nn.Linear(6, 8), Dropout(0.4), nn.Dropout(0.2), nn.Dropout(0.0), DropPath(0.1), nn.Linear(8, 3))


def rates(run):
    return [run.model[k].p for k in (1, 2, 3, 4)]


@pytest.mark.parametrize("schedule,factors", [
    (DropoutSchedule("rise"), [1 - math.exp(-k) for k in range(10)]),
    (DropoutSchedule("fall"), [1 - k / 10 for k in range(10)]),
    (DropoutSchedule("early", share=0.5), [1, 0.8, 0.6, 0.4, 0.2, 0, 0, 0, 0, 0]),
    (DropoutSchedule("late", share=0.3), [0, 0, 0, 1, 1, 1, 1, 1, 1, 1]),
])  # fmt: skip
def test_the_rates(schedule, factors):
    run = Run(toys.recipe(schedule, model=both, steps=10))
    for _, factor in zip(run, factors, strict=True):
        assert rates(run) == pytest.approx([0.4 * factor, 0.2 * factor, 0.0, 0.1 * factor])


def test_where_it_is_zero_training_is_without_dropout():
    late = Run(toys.recipe(DropoutSchedule("late", share=0.5), model=lambda: toys.normed(0.3), steps=10))
    plain = Run(toys.recipe(model=lambda: toys.normed(0.0), steps=10))
    assert toys.apart(toys.steps(late, 5), toys.steps(plain, 5)) == 0.0
    assert toys.apart(toys.steps(late, 1), toys.steps(plain, 1)) > 0.0


def test_a_model_without_dropout():
    with pytest.raises(BadInput, match="no dropout"):
        Run(toys.recipe(DropoutSchedule()))
