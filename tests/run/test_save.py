"""What is kept, when it is saved, and that a save in the background is of the moment at which it was asked for."""

from __future__ import annotations

import errno
import os
import threading
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from danlu.core import Run
from danlu.errors import NoSpace
from danlu.placement.single import Single
from danlu.run import checkpoint, durable, log
from danlu.run.save import Saver
from danlu.run.train import train
from danlu.techniques.reports.checkpoint import Checkpoint
from danlu.techniques.reports.validate import Validate
from danlu.techniques.update.ema import EMA

from . import tiny_training as small


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def kept(folder="out"):
    return checkpoint.steps(Path(folder) / "checkpoints")


def recipe(*, validate_every=3, **policy):
    return small.recipe(techniques=(Checkpoint(**policy), EMA(decay=0.9)), validate=Validate(every=validate_every))


def test_milestones_stay_beside_the_newest():
    train(recipe(every=2, keep=3, milestones=5, validate_every=18), "out")
    assert kept() == [5, 10, 15, 16, 18]


def test_the_best_of_several_stay_and_are_the_best():
    train(recipe(every=100, keep=1, best=3, watch="val_accuracy"), "out")
    values = {line["step"]: line["val_accuracy"] for line in log.read(Path("out/metrics.jsonl")) if "val_accuracy" in line}
    ranked = sorted(values, key=lambda step: (-values[step], step))[:3]
    best = checkpoint.named(Path("out/checkpoints"), "best")
    assert set(kept()) == {*ranked, 18, int(best.name.partition("-")[2])}


def test_saving_by_time_is_by_the_monotonic_clock(monkeypatch):
    """Each step takes ten seconds of a made clock: a save every 30 s is one every third step; the wall clock may jump as it likes."""
    clock = iter(range(0, 10**6, 5))  # it is read twice a step, and twice in a step that is saved
    monkeypatch.setattr("danlu.techniques.reports.checkpoint.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("danlu.techniques.reports.checkpoint.time.time", lambda: 1 / 0)
    own = Checkpoint(every="30s")
    steps = (type("R", (), {"step": k, "save": set(), "metrics": {}})() for k in range(1, 30))
    asked = [report.step for report in own.wrap_reports(steps, SimpleNamespace(placement=Single())) if report.save]
    assert len(asked) >= 4 and len({b - a for a, b in pairwise(asked)}) == 1


def test_a_background_save_is_of_the_moment_it_was_asked_for(monkeypatch):
    """A hundred saves; the parameters are changed in place at once after each, while the writer is held back."""
    gate = threading.Event()
    written = durable.write
    monkeypatch.setattr(durable, "write", lambda *args: (gate.wait(), written(*args))[1])
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    with Run(recipe(background=True)) as run:
        saver = Saver(run, Path("c"), lambda step, best: None)
        for step in range(1, 101):
            for p in run.trainable():
                p.data.fill_(float(step))
            gate.clear()
            saver.save(step, False, {})
            for p in run.trainable():
                p.data.fill_(-1.0)
            gate.set()
            saver.wait()
            found = checkpoint.read(Path(f"c/step-{step}"))["model"]
            assert all(torch.all(found[name] == step) for name, _ in run.model.named_parameters())
        saver.close()


def test_the_room_for_the_first_background_save_is_made_beside_the_training():
    with Run(recipe(background=True)) as run:
        saver, taken = Saver(run, Path("c"), lambda step, best: None), []
        for report in run:
            saver.check()
            if report.step == 1:
                room = saver._room.result()
            if report.step in (3, 5):
                saver.save(report.step, False, {})
                taken.append({t.data_ptr() for file in saver._copies.values() for t in file.values()})
        saver.close()
    made = {t.data_ptr() for file in room.values() for t in file.values()}
    assert len(made) > 1 and taken == [made, made] and kept(".") == [] and checkpoint.steps(Path("c")) == [3, 5]


def test_what_a_background_save_met_comes_out_a_step_later(monkeypatch):
    written, saves = durable.write, []

    def full(path, pieces):
        if threading.current_thread().name.startswith("save") and path.name == "model.safetensors":
            saves.append(path.parent.name)
            if len(saves) == 2:
                raise OSError(errno.ENOSPC, "No space left on device")
        return written(path, pieces)

    monkeypatch.setattr(durable, "write", full)
    seen = []

    def watch(report, run):
        seen.append(report.step)
        time.sleep(0.2 if report.step in (8, 9) else 0)  # the writer has failed by then

    with pytest.raises(NoSpace, match="bytes and"):
        train(recipe(every=4, background=True, validate_every=18), "out", watchers=[watch])
    assert seen[-1] in (8, 9) and kept() == [4]
    events = [event["event"] for event in log.read(Path("out/events.jsonl"))]
    assert events.count("checkpoint") == 1 and events[-1] == "failed"
    train(recipe(every=4, background=True, validate_every=18), "out")
    train(recipe(every=4, validate_every=18), "whole")
    assert Path("out/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()


def test_the_end_waits_for_a_background_save(monkeypatch):
    written = durable.write

    def slow(path, pieces):
        if threading.current_thread().name.startswith("save"):
            time.sleep(0.05)
        return written(path, pieces)

    monkeypatch.setattr(durable, "write", slow)
    train(recipe(every=18, background=True), "out")
    assert kept()[-1] == 18 and not [t for t in threading.enumerate() if t.name.startswith("save")]
