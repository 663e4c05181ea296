"""S02: 10,000 mutated headers of tensor files, manifests and the other files of a run: none crashes, hangs, or takes 1 GB.

Each is read, or refused with a sentence of danlu's; no other exception comes out. A batch of them has 10 s beyond its start.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exam.files import measured
from exam.harness import need_linux, settle, size

BATCH = 500
LIMIT = 10.0  # seconds of a batch
START = 60.0  # seconds in which Python and torch begin, on the slowest machine


@pytest.mark.slow
def test_fuzz(tmp_path: Path) -> None:
    need_linux()
    number, failures, totals, longest, most = size(1000, 10_000), [], {"read": 0, "refused": 0}, 0.0, 0
    for first in range(0, number, BATCH):
        here = tmp_path / str(first)
        here.mkdir()
        found = measured("-m", "exam.fuzz", str(here), str(first), str(min(first + BATCH, number)), cwd=here, patience=START + LIMIT)
        longest = max(longest, found.busy)
        last = found.text.strip().rpartition("\n")[2]
        if found.code != 0:
            failures.append(f"at {(here / 'now').read_text()}: exit code {found.code}: {found.text[-500:]}")
            continue
        line = json.loads(last)
        failures += line["wrong"]
        most = max(most, line["memory"])
        totals = {key: totals[key] + line[key] for key in totals}
    if most > 1e9:
        failures.append(f"{most / 1e6:.0f} MB")
    settle("S02", number, failures, **totals, most_MB=most / 1e6, longest_batch_s_with_its_start=longest)
