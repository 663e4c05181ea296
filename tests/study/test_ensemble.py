"""A member of an ensemble is what a run of its recipe is: the same losses, metrics and weights, whatever the members differ in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import toys
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from danlu.core import Recipe, Run
from danlu.data.images import Images
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import BadInput, Refused
from danlu.losses.classification import CrossEntropy
from danlu.metrics.classification import AUROC, Accuracy
from danlu.nets.cnn import CNN
from danlu.nets.dropout import Dropout
from danlu.nets.gpt import GPT
from danlu.nets.mlp import MLP
from danlu.nets.vit import ViT
from danlu.optim.first_order import SGD, Adam, AdamW
from danlu.optim.lion import Lion
from danlu.optim.plateau import ReduceOnPlateau
from danlu.optim.schedules import WSD, Cosine
from danlu.study import program
from danlu.study.ensemble import Ensemble, ensemble, sweep
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.reports.validate import Validate


def held_out() -> Data:
    return toys.made(rows=50, held_out=22)


def images() -> Data:
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(60, 1, 8, 8, generator=g), torch.randint(0, 3, (60,), generator=g)
    return Data(Tensors(x[:40], y[:40]), Facts("classify", (1, 8, 8), 3, rows=40), val=Tensors(x[40:], y[40:]))


def text() -> Data:
    x = torch.randint(0, 11, (60, 9), generator=torch.Generator().manual_seed(0))
    rows = lambda part: Tensors(part[:, :-1].contiguous(), part[:, 1:].contiguous())
    return Data(rows(x[:40]), Facts("language", (8,), 11, vocab=11, rows=40), val=rows(x[40:]))


BASE = Recipe(
    model=MLP(hidden=(7,)), data=held_out, loss=CrossEntropy(), optimizer=AdamW(lr=1e-2),
    steps=16, batch_size=8, precision="fp64", device="cpu", validate=Validate(every=6),
)  # fmt: skip


def same(recipes: list[Recipe], close: float = 1e-9, alone: bool = False) -> Ensemble:
    """The ensemble of the recipes, after each member was compared with a run of its recipe."""
    found = ensemble(recipes, alone=alone)
    for recipe, member in zip(recipes, found.members, strict=True):
        with Run(recipe) as run:
            reports = list(run)
            losses = torch.tensor([float(report.loss) for report in reports], dtype=torch.float64)
            assert torch.allclose(member.losses, losses, rtol=close, atol=close, equal_nan=True)
            metrics: dict[str, dict[int, Any]] = {}
            for report in reports:
                for name, value in report.metrics.items():
                    if not name.startswith("nonfinite_"):  # what went wrong in a step, in words and sample ids
                        metrics.setdefault(name, {})[report.step] = value
            assert member.metrics.keys() == metrics.keys()
            for name, values in metrics.items():
                assert member.metrics[name].keys() == values.keys()
                for step, value in values.items():
                    expected = value if value is None else pytest.approx(value, rel=close, abs=close, nan_ok=True)
                    assert member.metrics[name][step] == expected
            weights = run.state()["model"]
            assert member.weights.keys() == weights.keys()
            for name, value in weights.items():
                assert member.weights[name].dtype == value.dtype
                assert torch.allclose(member.weights[name], value, rtol=close, atol=close), name
        assert member.recipe is recipe
    return found


SGDS = [SGD(lr=0.1, momentum=0.0), SGD(lr=0.3, weight_decay=0.1), SGD(lr=0.1, momentum=0.5, weight_decay=0.0)]


@pytest.mark.parametrize(
    "optimizers",
    [
        SGDS,
        [SGD(lr=0.1, nesterov=True), SGD(lr=0.2, nesterov=True, momentum=0.5, weight_decay=0.1)],
        [SGD(lr=0.1, dampening=0.5), SGD(lr=0.2, dampening=0.1)],
        [SGD(lr=0.1, momentum=0.9, weight_decay=0.01)],
        [Adam(lr=1e-2, weight_decay=0.1), Adam(lr=1e-3, beta1=0.5, beta2=0.9, eps=1e-3)],
        [Adam(lr=1e-2, weight_decay=0.1)],
        [AdamW(lr=1e-2, weight_decay=0.1, decay_norms=True), AdamW(lr=3e-2, beta1=0.8, weight_decay=0.0)],
        [AdamW(lr=1e-2, weight_decay=0.1)],
        [Lion(lr=1e-3), Lion(lr=1e-2, beta1=0.5, weight_decay=0.0)],
        [lambda params: torch.optim.SGD(params, lr=0.1), lambda params: torch.optim.SGD(params, lr=0.05, weight_decay=0.1)],
    ],
    ids=["sgd", "nesterov", "dampening", "sgd-alike", "adam", "adam-alike", "adamw", "adamw-alike", "lion", "torch"],
)
def test_optimisers_with_settings_of_their_own(optimizers: list[Any]) -> None:
    recipes = [replace(BASE, optimizer=optimizer, seed=seed) for optimizer in optimizers for seed in (0, 3)]
    found = same(recipes)
    assert not any(member.alone for member in found.members)


def test_schedules_of_their_own() -> None:
    same(sweep(BASE, seeds=(1, 2), schedule=[None, Cosine(warmup=0.2), WSD(decay=0.5), Cosine(floor=0.5)]))


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_dropout_is_keyed_by_seed_and_sample_and_may_differ_in_rate(norm: str) -> None:
    # a bias before BatchNorm has no gradient but rounding, of which Adam makes steps
    optimizer = SGD(lr=0.1) if norm == "batch" else AdamW(lr=1e-2)
    base = replace(BASE, model=MLP(hidden=(7, 5), dropout=0.3, norm=norm), loss=CrossEntropy(label_smoothing=0.1), optimizer=optimizer)
    same(sweep(base, seeds=(0, 2**63 + 5), **{"model.dropout": [0.0, 0.3, 0.5]}))
    same(sweep(base, seeds=(0, 1)))


def test_dropouts_in_a_module_of_the_users() -> None:
    same(sweep(replace(BASE, model=toys.normed), seeds=range(3)))


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (CNN(widths=(3, 4)), images),
        (ViT(patch=4, width=8, depth=1, heads=2), images),
        (GPT(width=8, depth=1, heads=2, dropout=0.1), text),
        (GPT(width=8, depth=1, heads=2, kv_heads=1, tied=True, qk_norm=True), text),
    ],
    ids=["cnn", "vit", "gpt", "gpt-tied"],
)
@pytest.mark.parametrize("traced", [False, True], ids=["vmap", "traced"])
def test_other_nets(model: Any, data: Any, traced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if traced:
        monkeypatch.setattr(program, "PATIENCE", 2)
    same(sweep(replace(BASE, model=model, data=data, steps=8), seeds=(0, 1)))


@pytest.mark.parametrize(
    "net", [MLP(hidden=(7,), dropout=0.2), MLP(hidden=(5, 5), norm="batch"), toys.normed], ids=["mlp", "batch", "user"]
)
def test_a_traced_program_gives_the_same_numbers(net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "PATIENCE", 2)
    used: list[int] = []
    monkeypatch.setattr(program, "lean", lambda graph, own=program.lean: used.append(1) or own(graph))
    same(sweep(replace(BASE, model=net, steps=40, optimizer=SGD()), seeds=range(2), **{"optimizer.lr": [1e-2, 1e-3]}))
    assert used == [1, 1]  # a whole batch and the last, shorter one


def test_a_trace_that_says_something_else_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "PATIENCE", 2)
    lies: list[int] = []

    def lying(graph: Any) -> Any:
        return lambda *args: lies.append(1) or tuple(2 * value for value in graph(*args))

    monkeypatch.setattr(program, "lean", lying)
    same(sweep(BASE, seeds=range(2)))
    assert len(lies) == 1 or len(lies) == 2  # each shape of batch once


def test_denominators_that_differ_from_row_to_row() -> None:
    weighted = CrossEntropy(class_weights=(1.0, 2.0, 5.0), label_smoothing=0.1)
    same(sweep(replace(BASE, loss=weighted), seeds=range(2)))
    same(sweep(replace(BASE, data=toys.tokens, model=toys.net), seeds=range(3)))


class Noisy:
    """Rows that are fetched with noise of the pass, and that are no `Tensors`."""

    def __init__(self, x: Tensor, y: Tensor):
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Tensor]:
        noise = torch.stack([torch.randn(6, generator=torch.Generator().manual_seed((draw + int(i)) % 2**62)) for i in ids])
        return {"x": self.x[ids] + 0.1 * noise * bool(draw)}, self.y[ids]


class Shifted(Tensors):
    """A subclass whose fetch depends on the pass, unlike what its base says of itself."""

    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        x, y = super().fetch(ids, draw)
        return x + draw % 7, y


class TakesX(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


def test_rows_that_are_drawn_and_inputs_by_name() -> None:
    whole = held_out().train
    data = Data(Noisy(whole.inputs, whole.targets), Facts("classify", (6,), 3, rows=50))
    same(sweep(replace(BASE, data=data, model=TakesX, loss=CrossEntropy(class_weights=(1.0, 2.0, 3.0))), seeds=range(3)))


def test_rows_below_those_that_are_fixed_are_not_taken_for_fixed() -> None:
    data = held_out()
    shifted = Shifted(data.train.inputs, data.train.targets)
    same(sweep(replace(BASE, data=replace(data, train=shifted)), seeds=range(3)))


def test_images_as_bytes_with_and_without_augmentation() -> None:
    g = torch.Generator().manual_seed(0)
    for augment in ("none", "flip_crop"):
        rows = Images(
            torch.randint(0, 256, (40, 1, 8, 8), generator=g, dtype=torch.uint8), images().train.targets, (99.0,), (70.0,), augment
        )
        same(sweep(replace(BASE, data=replace(images(), train=rows), steps=8), seeds=range(3)))


def test_an_average_that_nobody_keeps_is_an_error_as_it_is_for_a_run() -> None:
    with pytest.raises(BadInput, match="average"):
        ensemble(sweep(replace(BASE, validate=Validate(weights="ema")), seeds=range(2)))


def test_micro_batches_make_no_difference() -> None:
    same(sweep(replace(BASE, micro_batch_size=3, model=MLP(hidden=(7,), dropout=0.2)), seeds=range(2)))


def test_metrics_that_are_joined_and_an_undefined_one() -> None:
    data = toys.made(rows=40, classes=2, held_out=20)
    found = same(sweep(replace(BASE, data=data, metrics=(Accuracy(), AUROC())), seeds=range(2)))
    assert set(found.members[0].metrics) == {"val_loss", "val_accuracy", "val_auroc"}
    one = replace(data, val=Tensors(data.val.inputs, torch.zeros(20, dtype=torch.int64)))
    found = same(sweep(replace(BASE, data=one, metrics=(Accuracy(), AUROC())), seeds=range(2)))
    assert set(found.last("val_auroc").values()) == {None}


def normed_without_a_bias() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))


@pytest.mark.parametrize("net", [MLP(hidden=(7,)), normed_without_a_bias], ids=["plain", "batch"])
def test_a_member_that_diverges_stays_where_it_was_and_harms_no_other(net: Any) -> None:
    rates = [1e-2, 1e307, 1e-3]
    found = same(sweep(replace(BASE, model=net, optimizer=SGD(momentum=0.9)), seeds=(0, 1), **{"optimizer.lr": rates}))
    broken = found.where(**{"optimizer.lr": 1e307}).members[0]
    assert not torch.isfinite(broken.losses[-1])
    assert torch.isfinite(found.where(**{"optimizer.lr": 1e-2}).members[0].losses).all()


def test_in_float32_losses_agree_to_rounding() -> None:
    found = same(sweep(replace(BASE, precision="fp32", optimizer=SGD(lr=0.1)), seeds=range(3)), close=3e-6)
    assert found.members[0].weights["layers.0.weight"].dtype == torch.float32


def test_members_of_several_structures_keep_their_places() -> None:
    recipes = sweep(BASE, seeds=(4, 5), **{"model.hidden": [(3,), (4,)], "batch_size": [8, 10]})
    found = same([*recipes, replace(BASE, techniques=(Clip(0.1),))], alone=True)
    assert [member.alone for member in found.members] == [False] * 8 + [True]
    chosen = found.where(**{"model.hidden": (4,), "batch_size": 10})
    assert [member.recipe for member in chosen.members] == recipes[6:]


class OwnDropout(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.2), nn.Linear(8, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear, self.looks = nn.Linear(6, 3), 0

    def forward(self, x: Tensor) -> Tensor:
        self.looks += 1
        return self.linear(x) / (1 + self.looks)


class Asking(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        out = self.linear(x)
        return -out if float(out.detach().sum()) > 0 else out


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"techniques": (Clip(1.0),)}, "technique Clip"),
        ({"schedule": ReduceOnPlateau()}, "technique ReduceOnPlateau"),
        ({"precision": "bf16"}, "precision is bf16"),
        ({"optimizer": lambda params: torch.optim.Adagrad(params)}, "optimizer Adagrad"),
        ({"optimizer": lambda params: torch.optim.Adam(params, amsgrad=True)}, "amsgrad=True"),
        ({"model": OwnDropout}, "model OwnDropout"),
        ({"model": Counting}, "its field `looks`"),
        ({"model": Asking}, "model Asking"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_stacked_is_named_or_runs_alone(fields: dict[str, Any], part: str) -> None:
    recipes = sweep(replace(BASE, steps=3, **fields), seeds=range(2))
    with pytest.raises(Refused, match=part):
        ensemble([replace(BASE, steps=3), *recipes])
    found = same([replace(BASE, steps=3), *recipes], alone=True)
    assert [member.alone for member in found.members] == [False, True, True]


def test_numbers_by_seed_and_setting() -> None:
    found = ensemble(sweep(BASE, seeds=(3, 7), **{"optimizer.lr": [1e-2, 1e-3]}))
    assert [member.settings for member in found.members[:2]] == [{"optimizer.lr": 1e-2, "seed": 3}, {"optimizer.lr": 1e-2, "seed": 7}]
    part = found.where(**{"optimizer.lr": 1e-3})
    assert part.last("loss") == {3: float(part.members[0].losses[-1]), 7: float(part.members[1].losses[-1])}
    steps, values = part.curve("val_loss")
    assert steps == [6, 12, 16] and len(values) == 2
    assert part.best("val_loss")[3] == min(values[0])
    assert part.best("val_accuracy")[7] == max(part.curve("val_accuracy")[1][1])
    assert part.curve()[0] == list(range(1, 17))
    with pytest.raises(BadInput, match="seed 3 is there 2 times"):
        found.last("val_loss")
    with pytest.raises(BadInput, match="val_accuracy"):
        part.last("accuracy")
    with pytest.raises(BadInput, match=r"optimizer\.lr=0\.01"):
        found.where(**{"optimizer.lr": 5.0})


def test_a_sweep_is_strict() -> None:
    recipes = sweep(BASE, seeds=(0, 1), **{"optimizer.lr": [0.1, 0.2], "model.dropout": [0.0, 0.5]})
    assert [(r.optimizer.lr, r.model.dropout, r.seed) for r in recipes[:3]] == [(0.1, 0.0, 0), (0.1, 0.0, 1), (0.1, 0.5, 0)]
    assert len(recipes) == 8 and {type(recipe) for recipe in recipes} == {Recipe}
    with pytest.raises(BadInput, match=r"did you mean `?lr"):
        sweep(BASE, **{"optimizer.rl": [0.1]})
    with pytest.raises(BadInput, match="has no values"):
        sweep(BASE, **{"optimizer.lr": []})
    with pytest.raises(BadInput, match=r"such as \[0\.1\]"):
        sweep(BASE, **{"optimizer.lr": 0.1})
    with pytest.raises(BadInput, match="schedule"):
        sweep(BASE, schedul=[Cosine()])
    with pytest.raises(BadInput, match="no recipe"):
        ensemble([])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_drawn_members(data: st.DataObject) -> None:
    """Any mixture of seeds, optimisers, schedules, rates, norms and losses."""
    draw = data.draw
    optimizers = st.one_of(
        st.builds(SGD, lr=st.sampled_from([0.01, 0.1]), momentum=st.sampled_from([0.0, 0.9]), weight_decay=st.sampled_from([0.0, 0.1])),
        st.builds(AdamW, lr=st.sampled_from([1e-3, 1e-2]), beta2=st.sampled_from([0.9, 0.999]), weight_decay=st.sampled_from([0.0, 0.1])),
        st.builds(Lion, lr=st.sampled_from([1e-4, 1e-3])),
    )
    norms = st.sampled_from(["none", "layer", "batch"])
    models = st.builds(
        MLP, hidden=st.sampled_from([(4,), (4, 5)]), dropout=st.sampled_from([0.0, 0.2, 0.5]), norm=norms,
        activation=st.sampled_from(["relu", "tanh"]),
    )  # fmt: skip
    members = st.builds(
        lambda model, optimizer, schedule, loss, seed: replace(
            BASE, model=model, optimizer=SGD() if model.norm == "batch" else optimizer, schedule=schedule, loss=loss, seed=seed
        ),
        models, optimizers, st.sampled_from([None, Cosine(), WSD()]),
        st.sampled_from([CrossEntropy(), CrossEntropy(label_smoothing=0.2), CrossEntropy(class_weights=(1.0, 3.0, 2.0))]),
        st.integers(0, 2**40),
    )  # fmt: skip
    same(draw(st.lists(members, min_size=1, max_size=6)), close=1e-8)


def test_dropout_outside_a_step_is_as_it_was() -> None:
    ensemble(sweep(replace(BASE, model=MLP(hidden=(7,), dropout=0.5)), seeds=range(2)))
    layer = Dropout(0.5)
    torch.manual_seed(0)
    first = layer(torch.ones(4, 3))
    torch.manual_seed(0)
    assert torch.equal(layer(torch.ones(4, 3)), first)
