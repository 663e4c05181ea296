"""S03: files that are meant to run code, fill the memory or never end are refused within 1 s and 200 MB, with file and line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exam.files import DANLU, measured
from exam.harness import FULL, settle, size

TURNS = 3  # of which the fastest counts: other processes are at work on the machine


def bombs(canary: Path) -> dict[str, str | bytes]:
    """File name -> content."""
    aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    aliases += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    found: dict[str, str | bytes] = {
        "apply.yaml": f"model: !!python/object/apply:os.mkdir ['{canary}']\n",
        "new.yaml": f"model: !!python/object/new:os.mkdir ['{canary}']\n",
        "name.yaml": "model: !!python/name:os.system\n",
        "tag.yaml": f"model: !run 'mkdir {canary}'\n",
        "aliases.yaml": aliases,
        "merge.yaml": "a: &a {x: 1}\nb:\n  <<: *a\n",
        "deep.yaml": "[" * 10_000,
        "deep-blocks.yaml": "".join(" " * n + "a:\n" for n in range(1000)),
        "deep.json": '{"a":' * 10_000 + "1" + "}" * 10_000,
        "many.yaml": "techniques: [" + "1, " * 2_000_000 + "1]\n",
        "many.json": '{"techniques": [' + "1, " * 2_000_000 + "1]}",
        "twice.yaml": "seed: 1\nmodel: mlp\nseed: 2\n",
        "twice.json": '{"seed": 1,\n "seed": 2}',
        "two.yaml": "seed: 1\n---\nseed: 2\n",
        "huge-number.yaml": "seed: " + "9" * 5_000_000 + "\n",
        "huge-number.json": '{"seed": ' + "9" * 5_000_000 + "}",
        "huge-power.yaml": "seed: 1e999999999\n",
        "long-key.yaml": "k" * 9_000_000 + ": 1\n",
        "nul.yaml": b"seed: 1\0\n",
        "bytes.yaml": b"\xff\xfe\xfa" * 1000,
        "endless-text.yaml": "model: '" + "x" * 9_000_000,
        "unended.json": '{"model": "' + "x" * 9_000_000,
    }
    return found


@pytest.mark.slow
def test_bombs(tmp_path: Path) -> None:
    (tmp_path / "canary").mkdir()
    canary = tmp_path / "canary" / "executed"
    files = bombs(canary)
    names = [*files, "100MB.yaml", "endless.yaml"]
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with (tmp_path / "100MB.yaml").open("wb") as file:
        file.truncate(100 << 20)
    os.symlink("/dev/zero", tmp_path / "endless.yaml")
    quiet = measured(*DANLU, "list", "recipe", cwd=tmp_path)
    failures, longest, most = [], 0.0, 0
    for name in names if FULL else names[::2]:
        turns = [measured(*DANLU, "explain", name, cwd=tmp_path, patience=30) for _ in range(size(1, TURNS))]
        best = min(turn.seconds for turn in turns)
        longest, most = max(longest, best), max(most, turns[0].memory)
        last = turns[0].text.strip().rpartition("\n")[2]
        if any(turn.code != 2 for turn in turns) or "Traceback" in turns[0].text or name not in turns[0].text:
            failures.append(f"{name}: exit code {turns[0].code}: {last[-300:]}")
        elif min(best, *(turn.busy for turn in turns)) > 1.0 or turns[0].memory > 200e6:
            failures.append(f"{name}: {best:.2f} s, {turns[0].memory / 1e6:.0f} MB: {last[:100]}")
    if canary.exists():
        failures.append("something was executed")
    figures = {"longest_s": longest, "most_MB": most / 1e6, "danlu_list_s": quiet.seconds, "danlu_list_MB": quiet.memory / 1e6}
    settle("S03", len(names) if FULL else len(names[::2]), failures, **figures)
