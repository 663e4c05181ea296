"""Every recipe: it builds and trains on the real data, and its docstring says what was measured, which holds what was asked of it."""

import importlib.util
import math
import os
import sys
from itertools import islice
from pathlib import Path

import pytest
import torch

from danlu import find
from danlu.core import Run
from danlu.describe.forms import from_data, to_data

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("DANLU_DATA") or ROOT.parent / "shared" / "data")
ALL = {found.name: found for found in find.catalogue("recipe", others=False)}
RECIPES = {name: found for name, found in ALL.items() if getattr(found.load()().data, "path", None) != ""}  # the rest wait for a file
BUNDLED = {"digits", "wine", "breast_cancer"}  # scikit-learn brings their data
LONG = {"stdlib_code"}  # learns byte pairs of 9 MB of text first
TRAINED = [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in RECIPES]


def _bench():
    spec = importlib.util.spec_from_file_location("bench_recipes", ROOT / "bench" / "recipes.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


bench = _bench()
RESULTS = bench.read()


@pytest.fixture(autouse=True)
def real_data(monkeypatch):
    torch.set_num_threads(1)
    if SHARED.is_dir():
        monkeypatch.setenv("DANLU_DATA", str(SHARED))


@pytest.mark.parametrize("name", TRAINED)
def test_trains_two_steps(name):
    if name not in BUNDLED | LONG and not SHARED.is_dir():
        pytest.skip(f"no real data: set DANLU_DATA, or put the data sets in {SHARED}")
    run = Run(RECIPES[name].load()())
    before = [p.detach().clone() for p in run.trainable()]
    assert all(math.isfinite(float(report.loss)) for report in islice(run, 2))
    assert run.step == 2 and run.data.val is not None and run.data.test is not None
    assert any(not torch.equal(p, old) for p, old in zip(run.trainable(), before))


@pytest.mark.parametrize("name", ALL)
def test_has_a_data_form(name):
    recipe = ALL[name].load()()
    assert from_data(to_data(recipe)) == recipe


@pytest.mark.parametrize("name", RECIPES)
def test_docstring_says_what_was_measured(name):
    said = " ".join(RECIPES[name].load().__doc__.split())
    assert all(words in said for words in bench.sentence(name, RESULTS[name]))


@pytest.mark.parametrize("name", RECIPES)
def test_what_was_measured_is_written_again_in_its_place(name, tmp_path):
    written, file = Path(RECIPES[name].path).read_text("utf-8"), tmp_path / f"{name}.py"
    file.write_text(written, "utf-8")
    bench.write_sentence(file, bench.sentence(name, RESULTS[name]))
    assert file.read_text("utf-8") == written


@pytest.mark.parametrize("name", RECIPES)
def test_reaches_what_is_asked(name):
    result = RESULTS[name]
    assert bench.broken(name, result) == []
    assert len(result["cpu_seconds"]) == len(result["seeds"]) == 3
    assert all(len(values) == 3 for values in result["figures"].values())


def test_every_recipe_is_measured():
    assert set(RESULTS) == set(bench.CLAIMS) == set(RECIPES)


def test_comments_and_docstrings_leave_the_hash(tmp_path):
    versions = {
        "plain": "import a\n\ndef f(x):\n    return x + 1\n",
        "said": '"""About."""\n\ndef f(x):\n    """Adds."""\n    # why\n    return (x\n            + 1)\n',
        "changed": "def f(x):\n    return x + 2\n",
    }
    computed = {}
    for name, text in versions.items():
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
        computed[name] = bench.computing(tmp_path / f"{name}.py")
    assert computed["plain"] == computed["said"] != computed["changed"]


def test_the_hash_covers_what_a_recipe_is_made_of():
    covered = set(bench.modules(["danlu.recipes.digits"]))
    assert {"danlu.core", "danlu.nets.mlp", "danlu.data.bundled", "danlu.optim.first_order", "danlu.placement.base"} <= covered
    assert not covered & {"danlu.nets.gpt", "danlu.messages"}


def test_a_claim_that_does_not_hold_is_named():
    result = {"figures": {"test_accuracy": [0.9, 0.9, 0.9]}, "cpu_seconds": [1.0, 30.0, 1.0]}
    assert bench.broken("digits", result) == ["test_accuracy 0.9 < 0.975", "30.0 CPU-s > 20"]
