"""R01: two uninterrupted runs of each model end with the same bits and the same log, with 0 and 2 data workers, forked or fresh."""

from __future__ import annotations

import pytest

from exam import jobs
from exam.harness import final, fresh, logged, run, settle, size


@pytest.mark.slow
def test_two_runs_are_the_same(tmp_path):
    failures, fresh_ones = [], size(1, 3)
    for number, name in enumerate(jobs.NAMES):
        found = {}
        for workers in (0, 2):
            for turn in range(2):
                folder = tmp_path / f"{name}-{workers}-{turn}"
                folder.mkdir()
                ended = run("train", jobs.write(folder, name, steps=size(24, 60), workers=workers), "--out", "run", cwd=folder)
                found[folder.name] = (ended.code, final(folder / "run"), logged(folder / "run"))
        if number < fresh_ones:
            folder = tmp_path / f"{name}-fresh"
            folder.mkdir()
            ended = fresh("train", jobs.write(folder, name, steps=size(24, 60)), "--out", "run", cwd=folder)
            found[folder.name] = (ended.code, final(folder / "run"), logged(folder / "run"))
        first = next(iter(found.values()))
        failures += [f"{place} is not as the first of {name}" for place, these in found.items() if these != first or these[0] != 0]
    settle("R01", 4 * len(jobs.NAMES) + fresh_ones, failures, fresh_interpreters=fresh_ones)
