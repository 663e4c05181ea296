"""The certificate as a whole: kept by digest, disturbing nothing, quick, and right about every recipe that is shipped."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import toys

from check.own_recipes import base, dropping, uneven
from danlu import find
from danlu.check import CHECKS, certificate, certify
from danlu.core import Run
from danlu.data.bundled import Wine
from danlu.describe.override import override
from danlu.describe.recipe_file import load_recipe
from danlu.errors import BadInput
from danlu.keys import Keyed
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.techniques.update.ema import EMA


def small(**fields: object):
    return base(**({"model": MLP(hidden=(8,)), "data": Wine(), "steps": 60} | fields))


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_kept_by_recipe_code_data_and_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with Run(small()) as run:
        first = certify(run)
        assert not first.kept
        assert first.digest
        began = time.perf_counter()
        again = certify(run)
        assert time.perf_counter() - began < 0.1
        assert again == replace(first, kept=True)
        assert not certify(run, again=True).kept
        monkeypatch.setattr(certificate, "source_digest", lambda: "other code")
        assert certificate.digest(run) != first.digest
        monkeypatch.undo()
        threads = torch.get_num_threads()
        torch.set_num_threads(threads + 1)
        assert certificate.digest(run) != first.digest
        torch.set_num_threads(threads)
        assert certificate.digest(run) == first.digest
        data = replace(run.data, fingerprint="other data")
    with Run(small(), data=data) as run:
        assert certificate.digest(run) not in (None, first.digest)
    with Run(small(optimizer=AdamW(lr=6e-3))) as run:
        assert certificate.digest(run) != first.digest


def test_what_has_no_written_form_is_not_kept() -> None:
    with Run(base(model=toys.net)) as run:
        assert certify(run).digest is None
        assert not certify(run).kept


def test_a_page_that_was_torn_is_made_again() -> None:
    with Run(small()) as run:
        first = certify(run)
        path = certificate._place(first.digest)
        path.write_text(path.read_text("utf-8")[:200], "utf-8")
        assert not certify(run).kept


def test_nothing_is_disturbed() -> None:
    """The run, the generators and the keys are afterwards as they were."""
    recipe = base(model=dropping, techniques=(EMA(),), data=uneven)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    with Run(recipe) as run:
        before = random.getstate(), str(np.random.get_state()), torch.get_rng_state(), dict(vars(Keyed))  # noqa: NPY002
        weights = toys.state(run)
        certify(run)
        after = random.getstate(), str(np.random.get_state()), torch.get_rng_state(), dict(vars(Keyed))  # noqa: NPY002
        assert before[:2] == after[:2]
        assert torch.equal(before[2], after[2])
        assert before[3] == after[3]
        assert all(torch.equal(value, weights[name]) for name, value in toys.state(run).items())
        assert all(p.grad is None for p in run.model.parameters())
        assert run.step == 0
        losses = [float(report.loss) for _, report in zip(range(5), run)]
    with Run(recipe) as run:
        assert [float(report.loss) for _, report in zip(range(5), run)] == losses


def test_a_check_that_cannot_look_makes_a_note_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(trial: object) -> None:
        raise RuntimeError("no such kernel")

    monkeypatch.setitem(CHECKS, "steps", fail)
    with Run(small()) as run:
        found = {line.name: line for line in certify(run).lines}
    assert found["steps"].verdict == "note"
    assert "no such kernel" in str(found["steps"])
    assert {line.verdict for name, line in found.items() if name != "steps"} == {"ok"}


def test_after_the_limit_no_check_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("danlu.check.trial.LIMIT", -1.0)
    with Run(small()) as run:
        assert {line.verdict for line in certify(run).lines} == {"note"}


def own_files(name: str, folder: Path) -> list[str]:
    """The fields of a recipe that waits for somebody's own files, with such files made."""
    draw = random.Random(0)
    if name == "tabular":
        numbers = [(draw.random(), draw.gauss(0, 1)) for _ in range(200)]
        (folder / "my.csv").write_text("a,b,price\n" + "".join(f"{a},{b},{3 * a + b}\n" for a, b in numbers), "utf-8")
        return [f"data.path={folder / 'my.csv'}", "data.target=price"]
    if name == "classify_text":
        lines = [f"{' '.join(draw.choices(['good' if row % 2 else 'bad', 'film', 'was'], k=9))} {row},{row % 2}\n" for row in range(200)]
        (folder / "my.csv").write_text("review,label\n" + "".join(lines), "utf-8")
        return [f"data.path={folder / 'my.csv'}", "data.text=review", "data.target=label"]
    if name == "images":
        Image = pytest.importorskip("PIL.Image")
        for row in range(200):
            path = folder / "photos" / f"class {row % 2}" / f"{row}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.frombytes("RGB", (16, 16), bytes(draw.choices(range(100 * (row % 2), 156 + 100 * (row % 2)), k=768))).save(path)
        return [f"data.path={folder / 'photos'}"]
    if name == "text":
        (folder / "my.txt").write_text(" ".join(draw.choices(["the", "sea", "was", "calm", "and", "cold."], k=30000)), "utf-8")
        return [f"data.path={folder / 'my.txt'}"]
    return []


@pytest.mark.slow
@pytest.mark.parametrize("name", [found.name for found in find.catalogue("recipe", others=False)])
def test_every_shipped_recipe_is_passed_in_ten_seconds(name: str, tmp_path: Path) -> None:
    try:
        run = Run(override(load_recipe(name), own_files(name, tmp_path)))
    except BadInput as reason:  # data that are not on this machine
        assert not own_files(name, tmp_path)
        pytest.skip(str(reason))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with run:
        began = time.process_time()
        found = certify(run, again=True)
        took = time.process_time() - began
    torch.set_num_threads(threads)
    assert {line.name: str(line) for line in found.lines if line.verdict != "ok"} == {}
    assert took < 10
