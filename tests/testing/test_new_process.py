"""Law 7 across processes: what one saves at any step, another goes on with, bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from danlu.core import Run
from danlu.find import catalogue
from danlu.testing.compare import rest
from danlu.testing.resume import save
from testing import another_process
from testing.another_process import recipe

pytestmark = pytest.mark.slow


def another(folder: Path, *kinds: str) -> dict[str, list]:
    """What a new process makes of what is saved in the folder."""
    command = [sys.executable, another_process.__file__, str(folder), *kinds]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def here(folder: Path, kind: str) -> list:
    """Save at every step, from the start to the end or the stop; the whole course's reports from there on, and its end."""
    wanted = []
    for split in (False, True):
        place = folder / kind / str(split)
        place.mkdir(parents=True)
        reports, weights, averages = rest(Run(recipe(kind, split)))
        for k in range(len(reports) + 1):
            assert save(recipe(kind, split), k, place) == reports[:k]
            wanted.append([reports[k:], weights, averages])
    return json.loads(json.dumps(wanted))


def test_every_technique_goes_on_in_a_new_process_from_every_step(tmp_path):
    kinds = [found.name for found in catalogue("technique", others=False)]
    wanted = {kind: here(tmp_path, kind) for kind in kinds}
    found = another(tmp_path, *kinds)
    assert {kind: len(each) for kind, each in wanted.items() if len(each) > 2} == {kind: len(each) for kind, each in found.items()}
    for kind in kinds:
        assert found[kind] == wanted[kind], kind


def test_what_only_another_process_sees_is_caught(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "random")
    wanted = here(tmp_path, "Salted")
    assert any(another(tmp_path, "Salted")["Salted"] != wanted for _ in range(3))  # one salt in a thousand is ours
