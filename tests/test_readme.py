"""What the READMEs show in Python runs as it stands, and both say the same."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("README.md", "README.zh.md")


def blocks(name, kind):
    return [body for found, body in re.findall(r"```(\w*)\n(.*?)```", (ROOT / name).read_text("utf-8"), re.S) if found == kind]


def test_both_show_the_same_commands():
    bare = [[re.sub(r"\s+#.*", "", line) for body in blocks(name, "") for line in body.splitlines()] for name in NAMES]
    same = [[re.sub(r'"[^"]*"', '""', line).replace("列名", "COLUMN") for line in lines] for lines in bare]
    assert same[0] == same[1]


@pytest.mark.parametrize("name", NAMES)
def test_python_runs(name, tmp_path):
    """All but the block that loads a run of one's own, which needs one."""
    for body in blocks(name, "python"):
        if "danlu.load(" not in body:
            done = subprocess.run([sys.executable, "-W", "error", "-c", body], cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
