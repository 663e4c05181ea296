"""R34: every kind of failure has a documented exit code, a last line that a person can read, a JSON twin, no traceback unless asked for.

Here: one failure of each family of R14 to R33 and of the common ones, in both languages. And `conftest` looks at every command that failed
in any item of the exam: its exit code, its last line, no traceback.
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danlu.cli.main import CODES
from danlu.errors import BAD_INPUT, BUG, BUSY, DAMAGED, DIVERGED, NO_SPACE, REFUSED, SAVED_RUN_AGAIN
from danlu.run import lock
from exam import jobs
from exam.files import error, inside, unclear
from exam.harness import exam_only, run, settle, size, start

OWN = """
import torch
from danlu.data.source import Data, Facts, Tensors

class Fails(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(3, 2)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        if self.calls > 3:
            raise KeyError("own")
        return self.inner(x)

def explodes(x, y):
    return None + 1

def mean(output, target):
    return torch.nn.functional.cross_entropy(output, target)

def rows(bad=0):
    y = torch.arange(60) % 2
    y[7] = bad
    return Data(Tensors(torch.randn(60, 3), y), Facts("classify", (3,), 2))
"""
Words = tuple[Any, ...]


def recipe(here: Path, **changed: Any) -> Path:
    (here / "own.py").write_text(OWN)
    plain = {"model": "mlp", "data": "own.py:rows", "optimizer": "sgd", "steps": 8, "batch_size": 20, "validate": None, **changed}
    (here / "own.json").write_text(json.dumps(plain))
    return here / "own.json"


def trained(here: Path) -> None:
    assert inside("train", jobs.write(here, "mlp", steps=12, every=6), "--out", "run", cwd=here).code == 0


def a_bug(here: Path) -> Words:
    return "train", recipe(here, model="own.py:Fails"), "--out", "run"


def typo_in_a_file(here: Path) -> Words:
    return "train", recipe(here, optimiser="sgd")


def typo_in_a_flag(here: Path) -> Words:
    return "train", "digits", "--otu", "run"


def no_such_command(here: Path) -> Words:
    return ("tain",)


def no_such_recipe(here: Path) -> Words:
    return "explain", "digitz"


def too_few_words(here: Path) -> Words:
    return ("resume",)


def no_run(here: Path) -> Words:
    return "resume", "nothing"


def empty_data(here: Path) -> Words:
    (here / "a.csv").write_text("")
    return "train", "tabular", "data.path=a.csv", "data.target=y"


def label_out_of_range(here: Path) -> Words:
    return "train", recipe(here, data={"own.py:rows": {"bad": 2}})


def not_yaml(here: Path) -> Words:
    (here / "a.yaml").write_text("model: [\n")
    return "train", "a.yaml"


def changed_data(here: Path) -> Words:
    first = jobs.write(here, "mlp", steps=12, every=6)
    assert inside("train", first, "--out", "run", cwd=here).code == 0
    path = here / "run" / "record.json"
    record = json.loads(path.read_text())
    record["data"]["fingerprint"] = "other"
    path.write_text(json.dumps(record))
    return "resume", "run"


def other_recipe(here: Path) -> Words:
    trained(here)
    return "train", jobs.write(here, "mlp", steps=13, every=6), "--out", "run"


def mean_loss(here: Path) -> Words:
    return "train", recipe(here, loss="own.py:mean"), "micro_batch_size=10"


def loss_that_fails(here: Path) -> Words:
    return "train", recipe(here, loss="own.py:explodes")


def diverging(here: Path) -> Words:
    return "train", recipe(here, optimizer={"sgd": {"lr": 1e38}}, steps=200), "--no-check", "--out", "run"


def busy(here: Path) -> Words:
    trained(here)
    _held.append(lock.acquire(here / "run"))
    return "resume", "run"


def a_file_is_in_the_way(here: Path) -> Words:
    (here / "file").write_text("")
    return "train", recipe(here), "--out", "file/run"


def all_checkpoints_broken(here: Path) -> Words:
    trained(here)
    for path in (here / "run" / "checkpoints").glob("*/manifest.json"):
        path.write_text("{")
    return "resume", "run"


def a_checkpoint_is_broken(here: Path) -> Words:
    trained(here)
    path = here / "run" / "checkpoints" / "step-12" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    return "evaluate", "run@latest"


def weights_changed(here: Path) -> Words:
    trained(here)
    path = here / "run" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    return "evaluate", "run"


_held: list[int] = []
CASES: dict[Callable[[Path], Words], tuple[int, ...]] = {
    a_bug: (BUG,), typo_in_a_file: (BAD_INPUT,), typo_in_a_flag: (BAD_INPUT,), no_such_command: (BAD_INPUT,), no_such_recipe: (BAD_INPUT,),
    too_few_words: (BAD_INPUT,), no_run: (BAD_INPUT,), empty_data: (BAD_INPUT,), label_out_of_range: (BAD_INPUT,), not_yaml: (BAD_INPUT,),
    changed_data: (BAD_INPUT,), other_recipe: (BAD_INPUT,), mean_loss: (REFUSED,), loss_that_fails: (BUG, BAD_INPUT),
    diverging: (DIVERGED,), busy: (BUSY,), a_file_is_in_the_way: (NO_SPACE, BAD_INPUT), all_checkpoints_broken: (BAD_INPUT, DAMAGED),
    a_checkpoint_is_broken: (DAMAGED,), weights_changed: (BAD_INPUT, DAMAGED),
}  # fmt: skip


def wrong(ended: Any, codes: tuple[int, ...], chinese: bool) -> str:
    """What is wrong with a failure, its JSON included. (Standard error comes after standard output, in one text.)"""
    if why := unclear(ended, codes=codes):
        return why
    twin = error(ended)
    sentence = f"\n{ended.text}".rpartition("\ndanlu: ")[2].strip()
    if twin.get("code") != ended.code or " ".join(twin.get("message", "").split()) != " ".join(sentence.split()):
        return f"the JSON is {twin}, the sentence {sentence[:200]}"
    if not twin.get("kind", "").isidentifier():
        return f"the JSON is {twin}"
    if chinese and not re.search("[\u4e00-\u9fff]", sentence):
        return f"not Chinese: {sentence[:200]}"
    return "" if ended.code != BUG or Path(twin["traceback"]).read_text().startswith("Traceback") else f"no traceback is kept: {twin}"


@pytest.mark.slow
def test_every_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    failures, codes, trials = [], set(), 0
    for case, allowed in CASES.items():
        for language in size(("en",), ("en", "zh")):
            here = tmp_path / f"{case.__name__}-{language}"
            here.mkdir()
            words = case(here)
            ended = inside(*words, "--json", "--lang", language, cwd=here)
            trials += 1
            codes.add(ended.code)
            if why := wrong(ended, allowed, language == "zh"):
                failures.append(f"{case.__name__}, {language}: {why}")
            while _held:
                lock.release(_held.pop())
    settle("R34", trials, failures, kinds=len(CASES), exit_codes=sorted(codes))


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, calls = os.fsync, iter(range(10**9))

    def full(handle: int) -> None:
        if next(calls) > 12:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    ended = inside("train", jobs.write(tmp_path, "mlp", steps=60), "--out", "run", "--json", cwd=tmp_path)
    settle("R34", 1, [why] if (why := wrong(ended, (NO_SPACE,), False)) else [], full_disk=ended.code)


@exam_only
@pytest.mark.slow
def test_signals_and_workers(tmp_path: Path) -> None:
    failures = []
    for number, (name, sent, code) in enumerate((("SIGTERM", signal.SIGTERM, SAVED_RUN_AGAIN), ("Ctrl-C", signal.SIGINT, SAVED_RUN_AGAIN))):
        here = tmp_path / str(number)
        here.mkdir()
        recipe = jobs.write(here, "mlp", steps=60)
        ended = run("train", recipe, "--out", "run", "--json", cwd=here, hook=("at_step", {"step": 10, "number": sent}))
        if why := wrong(ended, (code,), False):
            failures.append(f"{name}: {why}")
    here = tmp_path / "early"
    here.mkdir()
    early = start("train", jobs.write(here, "mlp"), "--out", "run", "--json", cwd=here, hook=("interrupted_early", {}))
    if why := wrong(early.wait(), (130, SAVED_RUN_AGAIN), False):
        failures.append(f"Ctrl-C at once: {why}")
    settle("R34", 3, failures, documented_codes=len(CODES))
