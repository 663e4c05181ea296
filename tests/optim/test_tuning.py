"""The budget of `bench/optimisers.py`, its page, and a person's own optimiser among danlu's."""

import importlib
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from danlu.testing import conformance
from danlu.testing.tiny import tiny

BENCH = Path(__file__).parents[2] / "bench"
FOO = """
import torch

class Foo(torch.optim.Optimizer):
    def __init__(self, params, lr=0.05, weight_decay=0.02):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(p.grad, alpha=-group["lr"])
"""


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    names = ("measure", "own", "page", "optimisers", "optimisers_page", "optim", "conformance")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


def spent(bench, end, parts=None):
    """{(rate, seed): loss} when the budget is spent on a loss that is known."""
    tuned, ends = bench("optimisers"), {}
    while (following := tuned.missing(ends, -9, tuned.PARTS[-1] if parts is None else tuned.PARTS[parts])) is not None:
        assert following not in ends
        ends[following] = end(*following)
    return ends


@pytest.mark.parametrize("best", [-18, -13, -9, -6, -1])
def test_the_best_rate_is_inside_the_grid_and_has_all_seeds(bench, best):
    """Also where the loss is lost above it, and where seeds disagree about the best."""
    noise = lambda k, seed: 0.3 * math.sin(7 * k + 13 * seed)
    ends = spent(bench, lambda k, seed: math.inf if k > best + 2 else (k - best) ** 2 + noise(k, seed))
    tried = sorted({k for k, _ in ends})
    assert tried == list(range(tried[0], tried[-1] + 1)) and tried[0] < best < tried[-1] and len(tried) >= 8
    full = [k for k in tried if all((k, seed) in ends for seed in range(5))]
    assert sorted(full) == [best - 1, best, best + 1] and bench("optimisers").chosen(ends)[0] == best
    assert len(ends) == len(tried) + 3 * 4


def test_the_parts_of_the_budget(bench):
    end = lambda k, seed: (k + 9) ** 2.0
    assert len(spent(bench, end, 0)) == 8 and len(spent(bench, end, 1)) == 12 and len(spent(bench, end)) == 20


def test_a_loss_that_only_falls_ends_somewhere(bench):
    assert len({k for k, _ in spent(bench, lambda k, seed: float(-k))}) == 16


@pytest.mark.slow  # it draws
def test_cells_are_written_and_read_and_the_page_shows_what_was_not_run(bench, tmp_path, monkeypatch):
    tuned, page, paper = bench("optimisers"), bench("optimisers_page"), bench("page")
    found = {name: tuned.arms([])[name] for name in ("adamw", "sgd", "lion")}
    file, looks = tmp_path / "cells.jsonl", tuned.STEPS // tuned.EVERY + 1
    for name, speed in (("adamw", 1.0), ("sgd", 0.5)):
        arm = found[name]

        def fall(k, seed, name=name, speed=speed, arm=arm):
            loss = [2.0 ** -(speed * at / 10) + 0.1 * abs(k - arm.middle) + 0.001 * seed for at in range(looks)]
            seconds = tuple(0.5 * at for at in range(looks))
            tuned.add(tuned.Cell("cnn", name, k, seed, arm.form("cnn"), arm.code, tuple(loss), seconds), file)

        for k in range(arm.middle - 4, arm.middle + 4):
            fall(k, 0)
        for k in (arm.middle - 1, arm.middle, arm.middle + 1):
            for seed in range(1, 5):
                fall(k, seed)
    cells = tuned.read(file)
    assert len(cells) == 40 and tuned.read(file) == cells
    monkeypatch.setattr(page, "DOCS", tmp_path)
    monkeypatch.setattr(paper.replace_section, "__defaults__", (tmp_path / "page.md",))
    (tmp_path / "page.md").write_text("# Optimisers, measured\n\n## Conformance\n\nas it was\n")
    page.write(cells, found)
    text = (tmp_path / "page.md").read_text()
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if line.startswith("| ")}
    assert "| 0.001 (4.64e-05 to 0.01) | 20 |" in rows["adamw"] and "| 150 [150, 150] |" in rows["adamw"]
    assert "| 300 [300, 300]; x2 [2, 2] |" in rows["sgd"] and "| 0 of 5 seeds | 0 of 5 seeds |" in rows["sgd"]  # half as fast
    assert "Not run: lion." in text and "Not run: adamw, sgd, lion." in text  # of the other tasks
    assert {path.name for path in (tmp_path / "optimisers").iterdir()} == {
        f"cnn_{kind}.{language}.svg" for kind in ("steps", "seconds") for language in ("en", "zh")
    }
    stale = [replace(cell, code="another") for cell in cells]
    page.write(stale, found)
    text = (tmp_path / "page.md").read_text()
    assert "| adamw* |" in text and text.count("## Tuned") == 1 and text.count("as it was") == 1


def test_a_cell_is_a_training_in_the_loop_that_is_ended_when_it_is_lost(bench, monkeypatch):
    tuned = bench("optimisers")
    monkeypatch.setitem(tuned.TASKS, "cnn", tuned.Task(lambda: tiny(model=conformance.hidden_net, split=True), tuned.TASKS["cnn"].title))
    tuned.rows.cache_clear()
    monkeypatch.setattr(tuned, "STEPS", 40)
    arm = tuned.arms([])["sgd"]
    good, lost = tuned.measured("sgd", arm, "cnn", -3, 0), tuned.measured("sgd", arm, "cnn", 12, 0)
    assert len(good.losses) == 5 and good.losses[-1] < good.losses[0] and good.end < math.inf
    assert list(good.seconds) == sorted(good.seconds) and good.seconds[0] == 0 < good.seconds[-1]
    assert lost.losses[0] == good.losses[0] and lost.losses[-1] is None and lost.end == math.inf


def test_a_persons_own_optimiser_is_in_every_table(bench, tmp_path, monkeypatch, capsys):
    file = tmp_path / "my_opt.py"
    file.write_text(FOO)
    target = f"{file}:Foo"
    description = bench("own").described([target])["foo"]
    assert (description.lr, description.weight_decay) == (0.05, 0.02)
    assert conformance.moves(description) and conformance.spares(description) and conformance.accumulates(description) < 1e-9
    assert bench("optimisers").arms([target])["foo"].optimizer == description  # the tuned tables
    monkeypatch.setattr(conformance, "FACTORS", (1.0,))
    row = bench("conformance").row("foo", description, True)
    assert row.startswith("| foo | its own |  | ") and row.count("|") == 14
    speed = bench("optim")

    def model():
        made = conformance.hidden_net()
        for p in made.parameters():
            p.grad = torch.ones_like(p)
        return made

    monkeypatch.setattr(speed, "model", model)
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    monkeypatch.setattr(sys, "argv", ["optim.py", "--rounds", "4", "--add", target])
    speed.main()
    tables = capsys.readouterr().out.split("beside ")[1:]
    assert len(tables) == 5 and all(sum(line.split()[:1] == ["foo"] for line in table.splitlines()) == 1 for table in tables)


def test_a_description_of_ones_own(bench, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("from danlu.optim.lion import Lion\n\ndef Slow():\n    return Lion(lr=1e-5)\n")
    assert bench("own").described([f"{file}:Slow"])["slow"].lr == 1e-5
    assert isinstance(bench("own").described([f"{file}:Lion"])["lion"]([nn.Parameter(torch.ones(2))]), torch.optim.Optimizer)
