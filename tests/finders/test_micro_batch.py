"""The largest micro-batch where the device says that memory ends, where it is measured, and that the run is left as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from toys import made
from toys import recipe as toy

from danlu.core import Run
from danlu.cost import step_cost
from danlu.finders.micro_batch import _foretold, _group, free_bytes, largest, peak_of, rows_of, search
from danlu.placement.base import Placement


@pytest.mark.parametrize("room", [0, 1, 2, 3, 7, 8, 15, 33, 64, 100])
def test_the_search_finds_what_fits_to_within_a_sixteenth(room):
    tried = []

    def fits(rows):
        tried.append(rows)
        return rows <= room

    found = search(fits, 2, 64)
    assert found <= min(room, 64) and min(room, 64) - found <= found / 16
    assert len(tried) == len(set(tried)) <= 12 and (room >= 64 or max(tried) <= 2 * max(room, 1))


class Full(nn.Module):
    """A device whose memory holds 22 rows of it."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x):
        if len(x) > 22:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return self.layer(x)


def test_a_device_that_says_when_its_memory_ends(monkeypatch):
    monkeypatch.setattr("danlu.finders.micro_batch.free_bytes", lambda: None)
    with Run(toy(model=Full)) as run:
        before = {name: value.clone() for name, value in run.model.state_dict().items()}
        found = largest(run, 64)
        assert (found.rows, found.whole, found.taken, found.free) == (22, False, None, None)
        assert all(torch.equal(value, before[name]) for name, value in run.model.state_dict().items()) and run.step == 0
        assert largest(run, 16).whole


def test_another_error_is_no_lack_of_memory():
    class Broken(Full):
        def forward(self, x):
            if len(x) > 9:
                raise RuntimeError("shapes differ")
            return self.layer(x)

    with Run(toy(model=Broken)) as run, pytest.raises(RuntimeError, match="shapes differ"):
        largest(run, 64)


def test_memory_that_is_given_is_kept_and_no_trial_goes_far_above_it(monkeypatch):
    wide = lambda: nn.Sequential(nn.Linear(6, 4096), nn.Tanh(), nn.Linear(4096, 3))
    tried = []
    gradient = Placement.gradient

    def noted(self, model):
        inner = gradient(self, model)

        def looked(objective, batches):
            tried.append(len(batches[0].ids))
            return inner(objective, batches)

        return looked

    monkeypatch.setattr(Placement, "gradient", noted)
    monkeypatch.setattr("danlu.finders.micro_batch.peak_of", lambda work: work())  # as where the system does not say: by the count alone
    with Run(toy(model=wide, data=lambda: made(400))) as run:
        one, two = (step_cost(run, rows_of(run, rows))[1]["total"] for rows in (10, 20))
        each = (two - one) / 10
        limit = int(one + 90 * each)  # room for a hundred rows
        tried.clear()
        found = largest(run, 400, free=limit)
    assert 80 <= found.rows <= 100 and found.taken <= found.free == limit and not found.whole
    assert max(tried) <= 200


def test_a_step_that_takes_more_is_measured_as_more():
    peaks = [peak_of(lambda size=size: torch.ones(size, 1 << 20).sum()) for size in (8, 96)]  # of 32 and 384 MiB
    if None in peaks:
        pytest.skip("this system does not say how much memory was taken")
    assert peaks[1] - peaks[0] > 200 << 20


def test_the_line_through_the_last_trials():
    assert _foretold({2: 100}, 8) == 0
    assert _foretold({2: 100, 4: 140, 8: 220}, 16) == 380 and _foretold({2: 100, 4: 90}, 8) == 90


def test_the_room_of_a_control_group(tmp_path):
    assert _group(tmp_path) is None
    (tmp_path / "memory.max").write_text("max\n"), (tmp_path / "memory.current").write_text("5\n")
    assert _group(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    assert _group(tmp_path) == 995
    assert free_bytes() is None or free_bytes() > 1 << 20
