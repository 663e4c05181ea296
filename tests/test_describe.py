"""Recipes <-> plain data: exact both ways for anything drawn, strict about everything else."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import drawn
import pytest
from hypothesis import HealthCheck, given, settings

from danlu import find
from danlu.core import Recipe
from danlu.describe import yaml12
from danlu.describe.forms import from_data, to_data
from danlu.describe.user_file import Named
from danlu.errors import BadInput, speak

GOOD = {"model": "mlp", "data": "digits", "epochs": 3}
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    speak("en")
    yield
    speak(None)


def refused(text: str) -> str:
    with pytest.raises(BadInput) as trouble:
        from_data(*yaml12.read(text, "my.yaml"))
    return str(trouble.value)


@many
@given(drawn.recipe())
def test_data_rebuilds_the_recipe(recipe: Recipe) -> None:
    assert from_data(to_data(recipe)) == recipe
    assert from_data(to_data(recipe, full=True)) == recipe
    assert to_data(from_data(to_data(recipe))) == to_data(recipe)


@many
@given(drawn.recipe())
def test_repr_rebuilds_the_recipe(recipe: Recipe) -> None:
    names = {found.attribute: found.load() for kind in find.FOLDERS if kind != "metric" for found in find.catalogue(kind, others=False)}
    for name in ("MAE",):  # a loss and a metric share the class name
        names.pop(name, None)
    shared = any(type(thing).__name__ == "MAE" for thing in (recipe.loss, *recipe.metrics))
    names |= {found.attribute: found.load() for found in find.catalogue("metric", others=False) if found.attribute != "MAE"}
    if not shared:
        assert eval(repr(recipe), names | {"Recipe": Recipe, "inf": math.inf}) == recipe


def test_defaults_are_left_out_and_full_keeps_them() -> None:
    recipe = from_data({**GOOD, "optimizer": {"adamw": {"lr": 1e-3, "weight_decay": 0.5}}})
    assert to_data(recipe) == {"model": "mlp", "data": "digits", "optimizer": {"adamw": {"weight_decay": 0.5}}, "epochs": 3.0}
    full = to_data(recipe, full=True)
    assert full["optimizer"]["adamw"]["lr"] == 1e-3 and full["batch_size"] == 32 and full["steps"] is None


def test_from_data_is_quick() -> None:
    data = {**GOOD, "optimizer": {"adamw": {"lr": 1e-3}}, "techniques": ["ema", {"clip": {"max_norm": 1.0}}, "sam"], "schedule": "cosine"}
    from_data(data)
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        from_data(data)
        best = min(best, time.perf_counter() - start)
    assert best < 5e-3


START = "model: mlp\ndata: digits\nepochs: 3\n"


@pytest.mark.parametrize(
    "line, said",
    [
        ("optimizer: {adamw: {lrr: 1e-3}}", "my.yaml:4: `optimizer.adamw.lrr`: unknown field; did you mean `lr`?"),
        ("optimizr: adamw", "my.yaml:4: `optimizr`: unknown field; did you mean `optimizer`?"),
        ("optimizer: adamq", "my.yaml:4: `optimizer`: no optimizer is named `adamq`; did you mean `adam`?"),
        ("optimizer:\n  adamw:\n    lr: -1", "my.yaml:6: `optimizer.adamw.lr`: must be a number x with 0 < x; found -1, which is out"),
        ("optimizer: {adamw: {lr: .nan}}", "my.yaml:4: `optimizer.adamw.lr`: must be a number x with 0 < x; found nan, which is out"),
        ("optimizer: {adamw: {lr: '1e-3'}}", "found the text 1e-3; remove the quotes"),
        ("optimizer: {adamw: {lr: true}}", "my.yaml:4: `optimizer.adamw.lr`: must be a number x with 0 < x; found true"),
        ("optimizer: {adamw: {decay_norms: 1}}", "must be true or false; found 1"),
        ("optimizer: {adamw: {decay_norms: no}}", "must be true or false; found no"),
        ("batch_size: 1e3", "my.yaml:4: `batch_size`: must be a whole number x with 1 <= x; found 1000.0; write 1000"),
        ("batch_size: 0", "found 0, which is out of range"),
        ("batch_size: true", "must be a whole number x with 1 <= x; found true"),
        ("precision: bf61", "must be one of `fp32`, `fp64`, `bf16`, `fp16`; found bf61; did you mean `bf16`?"),
        ("precision: 16", "must be one of `fp32`, `fp64`, `bf16`, `fp16`; found 16"),
        ("lr: 1e-3\noptimizer: adamw", "my.yaml:4: `lr`: unknown field; did you mean `optimizer.adamw.lr`?"),
        ("optimizer:\n  adamw:\n  lr: 1e-3", "my.yaml:4: `optimizer`: write one name with its fields below it; found 2 names: adamw, lr"),
        ("techniques:\n  - ema\n  - clip: {max_nrm: 1}", "my.yaml:6: `techniques[1].clip.max_nrm`: unknown field; did you mean `max_norm`"),
        ("techniques: ema", "must be a list, each item the technique's name"),
        ("techniques: [3]", "must be the technique's name, or `name: {field: value}`, or `file.py:Name`; found 3"),
        ("optimizer: {adamw: 3}", "must be a mapping of `field: value`; found 3"),
        ("loss: accuracy", "`accuracy` is of another kind (metric)"),
        ("steps: 5", "my.yaml:4: `steps`: set exactly one of `epochs` and `steps`; found epochs=3.0, steps=5"),
        ("seed: -1", "0 <= x; found -1"),
        ("epochs: .inf", "written twice, first in line 3"),
        ("validate: {evry: 3}", "my.yaml:4: `validate.evry`: unknown field; did you mean `every`?"),
        ("validate: true", "must be"),
        ("device: 3", "must be text; found 3"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_line_and_key(line: str, said: str) -> None:
    found = refused(START + line + "\n")
    assert said in found and found.startswith("my.yaml:")


def test_what_is_missing() -> None:
    assert "my.yaml:1: `data` must be given: the data set's name" in refused("model: mlp\nepochs: 3\n")
    assert "set exactly one of `epochs` and `steps`; found epochs=null, steps=null" in refused("model: mlp\ndata: digits\n")
    assert "the file is empty" in refused("")
    assert "must be a mapping" in refused("mlp")
    assert "out of range" in refused("model: mlp\ndata: digits\nepochs: .inf\n")


def test_in_chinese() -> None:
    speak("zh")
    assert refused(START + "optimizer: {adamw: {lrr: 1}}") == "my.yaml:4：`optimizer.adamw.lrr`：未知字段；是不是 `lr`？"


@pytest.mark.parametrize(
    "value",
    [
        "{_target_: os.system, command: 'touch CANARY'}",
        "os.system",
        "torch.optim.Adam",
        "{os.system: {command: 'touch CANARY'}}",
        "{__import__: {name: os}}",
        "!!python/object/apply:os.system ['touch CANARY']",
        "!!python/name:os.system",
        "danlu.optim.first_order.AdamW",
        "AdamW",
        "python:torch.nn.functional.cross_entropy",
    ],
)
@pytest.mark.parametrize("field", ["optimizer", "model", "loss", "techniques", "placement"])
def test_only_names_build_anything(field: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    body = f"[{value}]" if field == "techniques" else value
    data = {"model": "mlp", "data": "digits", "epochs": 1}
    data.pop(field, None)
    refused("".join(f"{key}: {item}\n" for key, item in data.items()) + f"{field}: {body}\n")
    assert not (tmp_path / "CANARY").exists()


def test_a_float_field_takes_a_whole_number_and_infinity_where_its_range_is_open() -> None:
    recipe = from_data(
        {**GOOD, "techniques": [{"clip": {"max_norm": 1}}, {"clip": {"max_norm": math.inf}}, {"clip": {"max_norm": ".inf"}}]}
    )
    assert [t.max_norm for t in recipe.techniques] == [1.0, math.inf, math.inf]
    assert all(type(t.max_norm) is float for t in recipe.techniques)
    with pytest.raises(BadInput, match="out of range"):
        from_data({**GOOD, "techniques": [{"early_stop": {"target": math.inf}}]})  # no range: only finite numbers


def test_null_fields_mean_all_defaults() -> None:
    assert from_data({**GOOD, "optimizer": {"adamw": None}}) == from_data({**GOOD, "optimizer": "adamw"})


def test_what_has_no_written_form_is_refused_or_recorded() -> None:
    import torch.nn.functional as F

    recipe = Recipe(model=GOOD["model"], data="digits", loss=F.cross_entropy, epochs=1)
    with pytest.raises(BadInput, match=r"`loss`: torch.nn.functional.cross_entropy has no written form"):
        to_data(recipe)
    assert to_data(recipe, opaque=True)["loss"] == "python:torch.nn.functional.cross_entropy"


NET = """
from dataclasses import dataclass
from torch import nn
from danlu.core import Technique

class Net(nn.Module):
    def __init__(self, width=3): super().__init__(); self.fc = nn.Linear(64, width)

@dataclass
class Trick(Technique):
    \"\"\"A trick.\"\"\"
    alpha: float = 0.5

@dataclass
class NotATrick:
    alpha: float = 0.5

def my_loss(output, target): return output.sum()
made = Trick(alpha=0.25)
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    return tmp_path / "net.py"


def test_a_users_file_named_on_purpose(net: Path) -> None:
    (net.parent / "my.yaml").write_text(
        "model: {net.py:Net: {width: 10}}\ndata: digits\nloss: net.py:my_loss\nepochs: 1\n"
        "techniques: [net.py:Trick, {net.py:Trick: {alpha: 0.1}}, net.py:made]\n"
    )
    from danlu.describe.recipe_file import load_recipe

    recipe = load_recipe(str(net.parent / "my.yaml"))
    assert recipe.model == Named(f"{net}:Net", {"width": 10}) and recipe.model().fc.out_features == 10
    assert recipe.loss.thing.__name__ == "my_loss"
    assert [technique.alpha for technique in recipe.techniques] == [0.5, 0.1, 0.25]
    assert from_data(to_data(recipe)) == recipe
    assert eval(repr(recipe.model), {"Named": Named}) == recipe.model


@pytest.mark.parametrize(
    "field, value, said",
    [
        ("model", {"net.py:Net": {"widht": 1}}, "widht`: unknown field; did you mean `width`?"),
        ("model", "net.py:Nett", "net.py has no `Nett`; did you mean `Net`?"),
        ("techniques", ["net.py:NotATrick"], "is not a technique"),
        ("techniques", [{"net.py:made": {"alpha": 1.0}}], "already made"),
        ("techniques", [{"net.py:Trick": {"alpah": 1.0}}], "did you mean `alpha`?"),
        ("model", "nett.py:Net", "cannot read"),
    ],
)
def test_a_users_file_with_a_mistake(net: Path, field: str, value: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(net.parent)
    with pytest.raises(BadInput) as trouble:
        from_data({**GOOD, field: value})
    assert said in str(trouble.value)
