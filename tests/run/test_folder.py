"""The run folder: new for every run, one owner at a time, the same recipe goes on and another is refused with the difference."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from danlu.errors import BUSY, BadInput, Busy, NoSpace
from danlu.run import durable, lock
from danlu.run.folder import claim, differences, safe_name

RECIPE = {"model": "mlp", "optimizer": {"adamw": {"lr": 1e-3, "betas": (0.9, 0.999)}}, "techniques": [{"ema": {"decay": 0.9}}], "epochs": 3}


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_run_gets_a_new_folder():
    with ThreadPoolExecutor(8) as threads:
        folders = list(threads.map(lambda _: claim(None, RECIPE, "digits"), range(8)))
    assert len({folder.path for folder in folders}) == 8
    for folder in folders:
        assert folder.path.parent.name == "runs" and folder.path.name.startswith("digits-")
        assert json.loads((folder.path / "recipe.json").read_text())["epochs"] == 3
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.path.iterdir()} == {0o600}
        folder.close()


@pytest.mark.parametrize("name", ["../../x", "/etc", "a\0b", "x" * 300, "-rf", "", "..", "a\nb", "\u202etxt", "CON", "诗/词"])
def test_no_name_leaves_the_runs_folder(tmp_path, name):
    with claim(None, RECIPE, name) as folder:
        assert folder.path.resolve().parent == tmp_path / "runs"
        assert not folder.path.name.startswith(("-", ".")) and folder.path.name.isprintable()
    assert safe_name("诗/词") == "诗-词"


def test_the_same_recipe_goes_on_and_another_is_refused_with_the_difference():
    for _ in range(2):
        claim("out/here", RECIPE, "digits").close()
    changed = {**RECIPE, "optimizer": {"adamw": {"lr": 3e-3, "betas": (0.9, 0.999)}}, "techniques": [{"ema": {"decay": 0.5}}], "seed": 1}
    before = {path.name: path.read_bytes() for path in Path("out/here").iterdir()}
    with pytest.raises(BadInput) as trouble:
        claim("out/here", changed, "digits")
    lines = str(trouble.value).splitlines()[1:-1]
    assert lines == [
        "  optimizer.adamw.lr: 0.001 (in the run) -> 0.003 (now)",
        "  techniques[0].ema.decay: 0.9 (in the run) -> 0.5 (now)",
        "  seed: absent (in the run) -> 1 (now)",
    ]
    assert before == {path.name: path.read_bytes() for path in Path("out/here").iterdir()}


def test_true_is_not_one():
    assert differences({"a": True}, {"a": 1})
    assert not differences({"a": 1}, {"a": 1.0})


def test_other_peoples_files_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match="nothing was written"):
        claim(tmp_path, RECIPE, "x")
    with pytest.raises(BadInput, match="nothing was written"):
        claim(tmp_path / "thesis.txt", RECIPE, "x")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_and_the_scraps_of_a_crash_are_fine(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "lock").write_text("")
    (tmp_path / "a" / "recipe.json.tmp").write_text("{")
    claim(tmp_path / "a", RECIPE, "x").close()
    assert json.loads((tmp_path / "a" / "recipe.json").read_text())["model"] == "mlp"


def test_a_broken_recipe_file_is_said(tmp_path):
    claim("a", RECIPE, "x").close()
    (tmp_path / "a" / "recipe.json").write_text('{"model"')
    with pytest.raises(BadInput, match=r"recipe\.json cannot be read"):
        claim("a", RECIPE, "x")


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NoSpace, match="File exists"):
        claim(tmp_path / "file" / "under", RECIPE, "x")


OWNER = """
import json, sys, time
from danlu.run import durable, lock
from danlu.run.folder import claim
folder = claim("shared", json.loads(sys.argv[1]), "x")
print("mine", flush=True)
time.sleep(60)
"""


def start() -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", OWNER, json.dumps(RECIPE)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def test_a_folder_has_one_owner_and_a_dead_one_is_none():
    owner = start()
    try:
        assert owner.stdout.readline() == "mine\n"
        began = time.monotonic()
        with pytest.raises(Busy, match=f"process {owner.pid} on ") as trouble:
            claim("shared", RECIPE, "x")
        assert trouble.value.code == BUSY and time.monotonic() - began < 2
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        claim("shared", RECIPE, "x").close()
    finally:
        owner.kill()


def test_of_many_that_start_at_once_one_wins():
    starters = [start() for _ in range(4)]
    try:
        time.sleep(0.1)
        losers = [process for process in starters if process.stdout.readline() != "mine\n"]
        assert len(losers) == 3
    finally:
        for process in starters:
            process.kill()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_worker_does_not_keep_the_folder():
    folder = claim("shared", RECIPE, "x")
    child = os.fork()
    if not child:
        time.sleep(30)
        os._exit(0)
    try:
        time.sleep(0.2)
        lock._held.discard(folder._handle)  # else every later fork closes whatever has that number then
        os.close(folder._handle)  # as when this process is killed
        claim("shared", RECIPE, "x").close()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("name", ["checkpoints", "sources", "metrics.jsonl", "curves.png", "checkpoints/latest", "checkpoints/step-4"])
def test_a_link_inside_a_run_folder_is_refused_and_the_folder_may_be_one(name):
    Path("work/step-3.tmp").mkdir(parents=True)
    Path("disk").mkdir()
    os.symlink("disk", "run")
    claim("run", RECIPE, "digits").close()
    Path("run", name).parent.mkdir(exist_ok=True)
    os.symlink(Path("work").absolute(), Path("run", name))
    with pytest.raises(BadInput, match=name):
        claim("run", RECIPE, "digits")
    assert Path("work/step-3.tmp").is_dir()


def test_text_with_bytes_of_a_name_that_are_no_utf8_reads_back(tmp_path):
    durable.replace(tmp_path / "a.json", json.dumps({"path": "caf\udce9"}, ensure_ascii=False))
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"path": "caf\udce9"}
