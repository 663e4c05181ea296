"""When a save is asked for; what is written is tested in tests/run."""

import copy

import pytest
import toys

from danlu.core import Run
from danlu.techniques.reports.checkpoint import Checkpoint


@pytest.mark.parametrize("every, steps", [(1, [1, 2, 3, 4, 5, 6]), (2, [2, 4, 6]), (4, [4]), (7, [])])
def test_a_save_every_so_many_steps(every, steps):
    saved = []
    run = Run(toys.recipe(Checkpoint(every=every)), save=lambda run, report: saved.append((report.step, run.step, report.save)))
    assert [report.step for report in run if report.save] == steps
    assert saved == [(step, step, {"latest"}) for step in steps]


def test_a_run_goes_on_from_any_of_its_saves():
    states = []
    run = Run(toys.recipe(Checkpoint(every=2)), save=lambda run, report: states.append(copy.deepcopy(run.state())))
    list(run)
    for state in states:
        again = Run(toys.recipe(Checkpoint(every=2)))
        again.load(state)
        list(again)
        assert toys.apart(run, again) == 0.0
