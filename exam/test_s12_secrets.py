"""S12: what the environment holds is in no file and no message; a run folder is its owner's alone; training connects to nothing outside.

The secrets are in the environment as tokens and as the password of a proxy; every command is looked at, and every failure's traceback.
"""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from danlu.run import checkpoint
from exam import jobs
from exam.files import inside, unclear
from exam.harness import PATIENCE, endings, environment, exam_only, need, need_linux, settle, size
from exam.trace import read

SECRET = "canary7f3a9c"
PROXY = f"http://user:{SECRET}@127.0.0.1:9/"
VARIABLES = {
    "DANLU_TOKEN": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET, "HF_TOKEN": f"hf_{SECRET}", "WANDB_API_KEY": SECRET, "GIT_ASKPASS": SECRET,
    "SECRET": SECRET, "PASSWORD": SECRET, "DATABASE_URL": f"postgres://user:{SECRET}@host/db", "https_proxy": PROXY, "http_proxy": PROXY,
}  # fmt: skip
OWN = """
import os
import torch

class Fails(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(16, 4)
        self.calls = 0

    def forward(self, x):
        key = os.environ["SECRET"]
        self.calls += 1
        if self.calls > 4:
            raise KeyError("own")
        return self.inner(x)
"""
PRIVATE = {"file": 0o600, "folder": 0o700}


@contextmanager
def with_secrets(temporary: Path) -> Iterator[None]:
    """The variables in this process's environment, everything that danlu keeps in folders below `temporary`, and no mask on new files."""
    before, where, mask = dict(os.environ), tempfile.tempdir, os.umask(0)
    folders = {"XDG_CACHE_HOME": str(temporary / "cache"), "XDG_DATA_HOME": str(temporary / "data"), "DANLU_DATA": str(temporary / "none")}
    tempfile.tempdir = str(temporary)
    os.environ.update(VARIABLES | folders)
    try:
        yield
    finally:
        os.umask(mask)
        tempfile.tempdir = where
        os.environ.clear()
        os.environ.update(before)


def commands(here: Path) -> list[tuple[str | Path, ...]]:
    """Trainings, what is done with them, and failures of every kind: a bug, data that cannot be fetched, a recipe that is wrong."""
    (here / "own.py").write_text(OWN)
    (here / "fails.json").write_text(json.dumps({"model": "own.py:Fails", "data": "digits", "steps": 30, "batch_size": 16}))
    fails = jobs.write(here, "mlp", steps=30, every=4)
    plain = json.loads(fails.read_text())
    (here / "fails.json").write_text(json.dumps({**plain, "model": "own.py:Fails"}))
    few: list[tuple[str | Path, ...]] = [
        ("train", jobs.write(here, "mlp", steps=12), "--out", "run"), ("train", "fails.json", "--out", "bug", "--no-check"),
        ("train", "fails.json", "--out", "shown", "--no-check", "--debug"), ("train", "fashion_mnist", "steps=1", "--out", "far"),
    ]  # fmt: skip
    many: list[tuple[str | Path, ...]] = [
        ("train", jobs.write(here, "gpt", steps=12, workers=2, background=True), "--out", "gpt"),
        ("train", jobs.write(here, "cnn", steps=12, workers=2), "--out", "cnn"),
        ("resume", "run"), ("evaluate", "run"), ("evaluate", "run", "--out", "figures"), ("report", "run"), ("checkpoints", "run"),
        ("export", "run", "--to", "torch-export"), ("export", "run", "--to", "bundle"), ("plot", "run", "--out", "plot.svg"),
        ("read", "run"), ("explain", "digits"), ("doctor",), ("schema",), ("check", "digits"), ("init", "digits", "--out", "my.yaml"),
        ("train", "digits", "optimiser=1"), ("train", "digits", "steps=1", "--from", "hf:none/none"), ("train", "mnist", "steps=1"),
        ("learn",), ("list", "technique"),
    ]  # fmt: skip
    return few + many if size(False, True) else few


def holding(folder: Path, word: bytes) -> list[str]:
    """Files (and names) below a folder in which the word is."""
    found = []
    for where, folders, names in os.walk(folder):
        found += [os.path.join(where, name) for name in (*folders, *names) if word in os.fsencode(name)]
        found += [str(path) for name in names if (path := Path(where, name)).is_file() and word in path.read_bytes()]
    return found


@pytest.mark.slow
def test_secrets(tmp_path: Path) -> None:
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    failures, codes, words = [], [], []
    with with_secrets(temporary):
        for command in commands(here):
            ended = inside(*command, cwd=here)
            words.append(" ".join(str(word).rpartition("/")[2] for word in command))
            codes.append(ended.code)
            if "--debug" in command and ended in endings:
                endings.remove(ended)  # its traceback was asked for
            if SECRET in ended.text:
                failures.append(f"{words[-1]}: it was printed: {ended.text[max(0, ended.text.index(SECRET) - 100) :][:200]}")
    reports = list(temporary.glob("danlu-traceback-*"))
    failures += [f"{path} holds it" for path in holding(tmp_path, SECRET.encode())]
    failures += [] if reports and codes[1] == 1 else [f"the bug left no report: {codes}"]
    failures += [] if any(code == 0 for code in codes) else [f"nothing was trained: {codes}"]
    settle("S12", len(words), failures, commands=len(words), bug_reports=len(reports))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there are no modes")
def test_modes(tmp_path: Path) -> None:
    """Everything in a run folder, while it is trained and afterwards, with no mask on new files; and what danlu keeps for itself."""
    failures, looked = [], 0
    (tmp_path / "own.py").write_text("from exam.jobs import Numbers\n\n\ndef rows():\n    return Numbers()()\n")
    with with_secrets(tmp_path / "temporary"):
        (tmp_path / "temporary").mkdir()
        recipe = jobs.write(tmp_path, "mlp", steps=12)
        recipe.write_text(json.dumps({**json.loads(recipe.read_text()), "data": "own.py:rows"}))
        for words in ((recipe, "--out", "run"), (recipe,), (recipe, "steps=16", "--out", "other")):
            assert inside("train", *words, "--no-check", cwd=tmp_path).code == 0
        assert [inside(word, "run", cwd=tmp_path).code for word in ("report", "resume")] == [0, 0]
        taken = checkpoint.newest_valid(tmp_path / "run" / "checkpoints")[0]
        assert taken is not None
    for run in (tmp_path / "run", tmp_path / "other", *(tmp_path / "runs").iterdir()):
        for path in (run, *run.rglob("*")):
            looked += 1
            wanted = PRIVATE["folder" if path.is_dir() else "file"]
            if (mode := stat.S_IMODE(path.lstat().st_mode)) != wanted:
                failures.append(f"{path.relative_to(tmp_path)}: {mode:o}")
    settle("S12", looked, failures, files_and_folders_of_runs=looked)


# ---- what is connected to ----

NEAR = re.compile(r"sa_family=AF_(UNIX|LOCAL|NETLINK|UNSPEC)\b|inet_addr\(\"127\.|inet_pton\(AF_INET6, \"::1\"")
ALONE = ("unshare", "-rn")


def alone_works() -> bool:
    return subprocess.run([*ALONE, "true"], capture_output=True).returncode == 0


@exam_only
@pytest.mark.slow
def test_connections(tmp_path: Path) -> None:
    """Whole commands in a network of their own, in which there is nothing, with every connect and sendto written down."""
    need("strace", "unshare")
    need_linux()
    if not alone_works():
        pytest.fail("unshare -rn is not allowed here")
    failures, calls, near = [], 0, 0
    jobs.write(tmp_path, "mlp", steps=24)
    jobs.write(tmp_path, "gpt", steps=12, workers=2, background=True)
    jobs.write(tmp_path, "cnn", steps=12, workers=2)
    trainings = [("train", f"{name}.yaml", "--out", name) for name in jobs.NAMES] + [("train", "digits", "steps=30", "--out", "digits")]
    asked = [
        *trainings, ("resume", "mlp"), ("evaluate", "mlp", "--out", "figures"), ("export", "mlp", "--to", "torch-export"),
        ("report", "mlp"), ("plot", "mlp"), ("doctor",), ("learn",),
    ]  # fmt: skip
    code = "import sys; from danlu.cli.main import main; sys.exit(main())"
    probe = "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM).connect(('192.0.2.1', 80))"
    for number, words in enumerate((None, *asked)):
        log = tmp_path / f"trace{number}"
        traced = ["strace", "-f", "-qq", "-o", str(log), "-e", "trace=connect,sendto,sendmsg,bind,listen", "-e", "signal=none"]
        command = [*ALONE, *traced, sys.executable, "-c", *((code, *words) if words else (probe,))]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
        )
        found = list(read(log))
        far = [call for call in found if "sa_family" in call.arguments and not NEAR.search(call.arguments)]
        if words is None:
            failures += [] if far else ["a connection that was made to be seen is not seen: the reading is blind"]
            continue
        calls, near = calls + len(found), near + sum("sa_family" in call.arguments for call in found)
        if far:
            failures.append(f"{words}: {far[0].name}({far[0].arguments[:200]})")
        elif done.returncode:
            failures.append(f"{words}: exit code {done.returncode}: {(done.stderr or done.stdout)[-200:]}")
    settle("S12", len(asked), failures, commands_without_a_network=len(asked), calls_with_an_address=near, calls_read=calls)


def test_what_was_refused_is_clear(tmp_path: Path) -> None:
    """A proxy's password is not in the sentence on data that cannot be fetched."""
    (tmp_path / "temporary").mkdir()
    with with_secrets(tmp_path / "temporary"):
        ended = inside("train", "fashion_mnist", "steps=1", "--out", "far", cwd=tmp_path)
    wrong = unclear(ended, "fashion_mnist")
    settle("S12", 1, [wrong] if wrong or SECRET in ended.text else [])
