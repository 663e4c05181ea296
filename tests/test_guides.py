"""What the guides show runs as it stands, in order, in one folder; both languages show the same."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

GUIDES = Path(__file__).resolve().parents[1] / "docs" / "guides"
NAMES = sorted(path.name.split(".")[0] for path in GUIDES.glob("*.en.md"))


def blocks(name: str, language: str) -> list[tuple[str, str]]:
    """(kind, body) of each block of code, without comments."""
    text = (GUIDES / f"{name}.{language}.md").read_text("utf-8")
    return [(kind, re.sub(r"  # .*", "", body)) for kind, body in re.findall(r"^```([^\n]*)\n(.*?)^```", text, re.S | re.M)]


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_show_the_same(name):
    assert blocks(name, "en") == blocks(name, "zh")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name, tmp_path):
    for kind, body in blocks(name, "en"):
        if kind.startswith("python file="):
            (tmp_path / kind.partition("=")[2]).write_text(body, "utf-8")
            continue
        if "laws(" in body:  # minutes: every technique with it; tests/testing has a technique of one's own
            continue
        python = [[sys.executable, "-c", body]] if kind == "python" else []
        for command in python or [[sys.executable, "-m", *shlex.split(line)] for line in body.splitlines() if line]:
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
