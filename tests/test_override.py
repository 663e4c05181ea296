"""Changes from the command line: dotted fields with types, techniques with and without, quoting, and what is said when they are wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from danlu.core import Recipe
from danlu.describe.forms import from_data, to_data
from danlu.describe.override import override, parse_call, technique_name
from danlu.describe.places import Places, Spot
from danlu.errors import BadInput, speak


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    speak("en")
    yield
    speak(None)


@pytest.fixture
def recipe() -> Recipe:
    return from_data(
        {
            "model": {"mlp": {"hidden": [32], "activation": "gelu"}},
            "data": "digits",
            "optimizer": {"adamw": {"lr": 0.5}},
            "techniques": ["early_stop", {"ema": {"decay": 0.9}}, "clip"],
            "metrics": ["accuracy", "f1"],
            "steps": 100,
        }
    )


@pytest.mark.parametrize(
    "setting, field, expected",
    [
        ("optimizer.lr=1e-3", "optimizer", {"adamw": None}),
        ("optimizer.adamw.lr=1", "optimizer", {"adamw": {"lr": 1.0}}),
        ("optimizer=lion", "optimizer", {"lion": None}),
        ("optimizer=lion(lr=0.2)", "optimizer", {"lion": {"lr": 0.2}}),
        ("optimizer={lion: {lr: 0.2}}", "optimizer", {"lion": {"lr": 0.2}}),
        ("model.hidden=[128,64]", "model", {"mlp": {"hidden": [128, 64], "activation": "gelu"}}),
        ("model.hidden=[]", "model", {"mlp": {"hidden": [], "activation": "gelu"}}),
        ("ema.decay=0.5", "techniques", ["early_stop", {"ema": {"decay": 0.5}}, "clip"]),
        ("techniques.ema.decay=0.5", "techniques", ["early_stop", {"ema": {"decay": 0.5}}, "clip"]),
        ("ema.0.decay=0.5", "techniques", ["early_stop", {"ema": {"decay": 0.5}}, "clip"]),
        ("clip.max_norm=.inf", "techniques", ["early_stop", {"ema": {"decay": 0.9}}, {"clip": {"max_norm": math.inf}}]),
        ("early_stop.watch=no", "techniques", [{"early_stop": {"watch": "no"}}, {"ema": {"decay": 0.9}}, "clip"]),
        ("early_stop.watch=12", "techniques", [{"early_stop": {"watch": "12"}}, {"ema": {"decay": 0.9}}, "clip"]),
        ("early_stop.watch=a: {b", "techniques", [{"early_stop": {"watch": "a: {b"}}, {"ema": {"decay": 0.9}}, "clip"]),
        ("early_stop.target=0.5", "techniques", [{"early_stop": {"target": 0.5}}, {"ema": {"decay": 0.9}}, "clip"]),
        ("early_stop.target=null", "techniques", ["early_stop", {"ema": {"decay": 0.9}}, "clip"]),
        ("techniques=[ema]", "techniques", ["ema"]),
        ("metrics=[]", "metrics", []),
        ("f1.average=micro", "metrics", ["accuracy", {"f1": {"average": "micro"}}]),
        ("validate.every=7", "validate", {"every": 7}),
        ("validate=false", "validate", False),
        ("seed=7", "seed", 7),
        ("'seed=7'", "seed", 7),
        ("precision=bf16", "precision", "bf16"),
        ("loss=mse", "loss", "mse"),
    ],
)  # fmt: skip
def test_one_setting(recipe: Recipe, setting: str, field: str, expected: object) -> None:
    changed = override(recipe, [setting])
    data = {**to_data(recipe), field: expected}
    assert to_data(changed) == to_data(from_data(data))


def test_length_replaces_length(recipe: Recipe) -> None:
    changed = override(recipe, ["epochs=3"])
    assert (changed.epochs, changed.steps) == (3.0, None)
    assert override(changed, ["steps=7"]) == override(recipe, ["steps=7"])
    with pytest.raises(BadInput, match="exactly one"):
        override(recipe, ["epochs=3", "steps=4"])


def test_a_field_inside_is_set_after_the_whole_and_the_last_of_two_holds(recipe: Recipe) -> None:
    changed = override(recipe, ["optimizer.lr=0.25", "optimizer=lion", "seed=1", "seed=2"])
    assert (to_data(changed)["optimizer"], changed.seed) == ({"lion": {"lr": 0.25}}, 2)


@pytest.mark.parametrize(
    "call, expected",
    [
        ("sam", "sam"),
        ("sam(rho=0.2)", {"sam": {"rho": 0.2}}),
        ("sam(0.2)", {"sam": {"rho": 0.2}}),
        ("'sam(rho=0.2)'", {"sam": {"rho": 0.2}}),
        ("clip(max_norm=inf)", {"clip": {"max_norm": math.inf}}),
        ("early_stop(watch=val_accuracy, patience=3, target=None)", {"early_stop": {"watch": "val_accuracy", "patience": 3}}),
    ],
)
def test_with_adds_at_the_innermost_place(recipe: Recipe, call: str, expected: object) -> None:
    changed = override(recipe, with_=[call])
    assert to_data(changed)["techniques"] == [*to_data(recipe)["techniques"], expected]


def test_without_then_with_then_settings(recipe: Recipe) -> None:
    changed = override(recipe, ["ema.decay=0.25"], with_=["ema"], without=["ema", "clip"])
    assert to_data(changed)["techniques"] == ["early_stop", {"ema": {"decay": 0.25}}]


@pytest.mark.parametrize(
    "setting, said",
    [
        ("optimizer.lrr=1", "command line: `optimizer.lrr`: unknown field; did you mean `lr`?"),
        ("lr=1", "did you mean `optimizer.lr`?"),
        ("decay=1", "did you mean `ema.decay`?"),
        ("emma.decay=1", "did you mean `ema`?"),
        ("optimiser.lr=1", "did you mean `optimizer`?"),
        ("epoch=1", "did you mean `epochs`?"),
        ("sam.rho=1", "the recipe has no technique `sam`; add it: --with sam"),
        ("optimizer=loin", "no optimizer is named `loin`; did you mean `lion`?"),
        ("optimizer.lr=abc", "must be a number x with 0 < x; found abc"),
        ("optimizer.lr=", "found null"),
        ("optimizer.lr=0", "out of range"),
        ("batch_size=1e3", "write 1000"),
        ("model.hidden=[1,x]", "`model.hidden[1]`: must be a whole number"),
        ("model.hidden=[1", "not valid YAML"),
        ("model.hidden=!!python/name:os.system", "tag"),
        ("schedule.warmup=3", "the recipe names no schedule; name one as well: schedule=NAME"),
        ("seed", "write field=value"),
        ("=3", "write field=value"),
        ("optimizer.lr.x=3", "without fields"),
        ("accuracy.x=3", "unknown field"),
        ("optimizer=lion(lr=0.1,lr=0.2)", "write it like"),
        ("optimizer=lion(__import__('os'))", "write it like"),
    ],
)
def test_what_is_wrong_is_said(recipe: Recipe, setting: str, said: str) -> None:
    with pytest.raises(BadInput) as trouble:
        override(recipe, [setting])
    assert said in str(trouble.value) and str(trouble.value).startswith("command line: ")


@pytest.mark.parametrize(
    "call, said",
    [
        ("sma", "no technique is named `sma`; did you mean `sam`?"),
        ("sam(rh=1)", "did you mean `rho`?"),
        ("sam(1, 2)", "takes at most 1 values in order; name the fields: rho"),
        ("sam(rho=", "write it like mixup(alpha=0.2)"),
        ("sam(rho=open('x'))", "write it like"),
        ("sam(rho=1+1)", "write it like"),
        ("sam(" + "(" * 5000 + ")", "write it like"),
        ("adamw", "`adamw` is of another kind (optimizer)"),
        ("", "write it like"),
    ],
)
def test_what_is_wrong_with_a_technique_is_said(recipe: Recipe, call: str, said: str) -> None:
    with pytest.raises(BadInput) as trouble:
        override(recipe, with_=[call])
    assert said in str(trouble.value)


def test_without_what_is_not_there(recipe: Recipe) -> None:
    with pytest.raises(BadInput, match="has no technique `sam` to leave out; its techniques are: early_stop, ema, clip"):
        override(recipe, without=["sam"])


def test_two_of_a_kind_need_a_number(recipe: Recipe) -> None:
    two = override(recipe, with_=["ema(decay=0.1)"])
    with pytest.raises(BadInput, match=r"has 2 of them; say which, from 0: `ema.0.decay`"):
        override(two, ["ema.decay=0.3"])
    changed = override(two, ["ema.1.decay=0.3"])
    assert [technique.decay for technique in changed.techniques if technique_name(technique) == "ema"] == [0.9, 0.3]
    assert len(override(two, without=["ema"]).techniques) == 2


FILE = """
from dataclasses import dataclass
import torch
from danlu.core import Technique

@dataclass
class MyTrick(Technique):
    alpha: float = 0.5
    beta: float = 1.0

class Foo(torch.optim.SGD):
    def __init__(self, params, lr=0.1): super().__init__(params, lr)
"""


def test_a_users_file(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a folder (x86)"
    folder.mkdir()
    (folder / "my.py").write_text(FILE)
    monkeypatch.chdir(folder)
    changed = override(recipe, ["optimizer=my.py:Foo", "optimizer.lr=0.5", "my_trick.beta=2"], with_=["my.py:MyTrick(0.25)"])
    assert changed.optimizer.options == {"lr": 0.5} and changed.optimizer.target == f"{folder / 'my.py'}:Foo"
    weight = torch.nn.Parameter(torch.zeros(2))
    assert changed.optimizer([("w", weight)]).param_groups[0]["lr"] == 0.5
    assert (changed.techniques[-1].alpha, changed.techniques[-1].beta) == (0.25, 2.0)
    assert from_data(to_data(changed)) == changed
    assert override(changed, without=["my_trick"]).techniques == recipe.techniques
    assert override(recipe, with_=[f"{folder / 'my.py'}:MyTrick(beta=3)"]).techniques[-1].beta == 3.0
    with pytest.raises(BadInput, match=r"`optimizer.rl`: unknown field; did you mean `lr`\?"):
        override(changed, ["optimizer.rl=1"])


def test_a_windows_path_is_one_name() -> None:
    spot = Spot(Places())
    assert parse_call("model", r"C:\x\net.py:Net", spot) == r"C:\x\net.py:Net"
    assert parse_call("model", r"C:\Program Files (x86)\net.py:Net(width=3)", spot) == {r"C:\Program Files (x86)\net.py:Net": {"width": 3}}


def test_a_windows_path_in_a_setting_names_the_file(recipe: Recipe) -> None:
    with pytest.raises(BadInput, match=r"cannot read .*net\.py"):
        override(recipe, [r"model=C:\x\net.py:Net"])
