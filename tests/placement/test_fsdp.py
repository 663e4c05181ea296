"""Weights in parts: what lies where, odd shapes, losses that go into the model, looks, and a state that any placement loads."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from danlu.core import Loss, Recipe, Run, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.nets.dropout import named
from danlu.optim.first_order import SGD, AdamW
from danlu.optim.muon import Muon
from danlu.placement.blocks import blocks
from danlu.placement.ddp import DDP
from danlu.placement.fsdp import FSDP
from danlu.run import checkpoint
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.model.activation_checkpointing import ActivationCheckpointing
from danlu.techniques.objective.l2 import L2
from danlu.techniques.reports.checkpoint import Checkpoint
from danlu.techniques.reports.early_stop import EarlyStop
from danlu.techniques.reports.validate import Validate
from danlu.techniques.update.ema import EMA
from danlu.techniques.update.nonfinite import Nonfinite
from danlu.testing.compare import weights
from danlu.testing.placement import course, equal, placement
from danlu.testing.tiny import tiny


class Odd(nn.Module):
    """Seven rows, three, one and none (a number alone); a shared matrix; blocks in a list, one of which is two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.twice = nn.Linear(6, 7), nn.Linear(6, 7, bias=False)
        self.twice.weight = self.first.weight
        self.layers = nn.ModuleList([nn.Linear(7, 7), nn.Sequential(nn.LayerNorm(7), nn.Linear(7, 7))])
        self.scale, self.shift = nn.Parameter(torch.tensor(1.3)), nn.Parameter(torch.zeros(1))
        self.head = nn.Linear(7, 3)

    def hidden(self, x):
        return torch.tanh(self.first(x) + self.twice(x).sin()) * self.scale

    def forward(self, x):
        h = self.hidden(x)
        for layer in self.layers:
            h = h + layer(h).tanh()
        return self.head(h + self.shift)


def odd(**fields: Any) -> Recipe:
    return tiny(model=Odd, split=True, **({"optimizer": AdamW(lr=1e-2)} | fields))


# ---- without other processes ----


def test_which_blocks_are_gathered_by_themselves():
    model = Odd()
    assert blocks(model) == [model.layers[0], model.layers[1]]  # not the first layer, whose matrix another one shares
    stages = nn.Sequential(nn.Sequential(nn.Linear(6, 600), nn.Linear(600, 600)), nn.Linear(600, 3), nn.LayerNorm(3), nn.Tanh())
    assert blocks(stages) == [stages[0], stages[1]]  # the outermost; the norm's six numbers are not worth an exchange


# ---- what lies where ----


def numbers(run: Run, values: Any) -> int:
    """How many numbers of these this process holds, single ones aside."""
    return sum(v.numel() for v in run.placement.local([v for v in values if torch.is_tensor(v) and v.ndim]))


def parts(recipe: Recipe) -> dict[str, tuple[int, int]]:
    """By weight: how many numbers of it this process holds, and how many of the optimiser's state."""
    with Run(recipe) as run:
        next(iter(run))
        states = run.placement.states(run.optimizer)
        held = {name: run.placement.local([p])[0].numel() for name, p in run.model.named_parameters()}
        return {name: (held[name], numbers(run, states[p].values())) for name, p in run.model.named_parameters()}


@pytest.mark.slow
def test_each_process_holds_its_part(four):
    found = four.call(parts, odd(batch_size=8, micro_batch_size=2, placement=FSDP()))
    assert [own["first.weight"] for own in found] == [(12, 24), (12, 24), (12, 24), (6, 12)]  # rows 2, 2, 2 and 1 of 7
    assert [own["head.weight"] for own in found] == [(7, 14), (7, 14), (7, 14), (0, 0)]
    assert [own["scale"][0] for own in found] == [1, 1, 1, 1]
    assert "twice.weight" not in found[0]
    copies = four.call(parts, odd(batch_size=8, micro_batch_size=2, placement=FSDP(shard=2)))
    assert [own["first.weight"] for own in copies] == [(24, 48), (18, 36), (24, 48), (18, 36)]


def muon(recipe: Recipe) -> dict[str, int]:
    with Run(recipe) as run:
        next(iter(run))
        states = run.placement.states(run.optimizer)
        return {name: numbers(run, states[p].values()) for name, p in run.model.named_parameters()}


@pytest.mark.slow
def test_an_optimiser_of_matrices_keeps_whole_ones(ranks):
    for found in ranks.call(muon, odd(optimizer=Muon(), placement=FSDP())):
        assert found["layers.0.weight"] == 49


# ---- equal to one process ----


@pytest.mark.slow
@pytest.mark.parametrize("where", [FSDP(), FSDP(reshard=False), FSDP(blocks=False), FSDP(shard=2)], ids=str)
def test_odd_shapes_on_four_processes(where, four):
    """Beside them: looks between the steps, with the weights of an average, after which nothing stale may be used."""
    recipe = odd(techniques=(Validate(every=1), EMA(), Clip(0.5), L2(0.1)), batch_size=12, micro_batch_size=2)
    assert not equal(recipe, four, where)


@pytest.mark.slow
@pytest.mark.parametrize("where", [FSDP(), FSDP(reshard=False)], ids=str)
def test_odd_shapes_with_momentum_and_a_process_without_rows(where, ranks):
    assert not equal(odd(optimizer=SGD(lr=0.1, momentum=0.9), batch_size=12, micro_batch_size=4), ranks, where)


@dataclass
class Signed(Technique):
    """The guide's technique of one's own: it knows nothing of parts."""

    def wrap_gradient(self, gradient, run):
        def signed(objective, batches):
            outcome = gradient(objective, batches)
            for p in run.trainable():
                if p.grad is not None:
                    p.grad = p.grad.sign() * p.grad.abs().mean()
            return outcome

        return signed


@pytest.mark.slow
def test_a_technique_that_knows_nothing_of_parts(four):
    assert not equal(odd(techniques=(Signed(),), batch_size=8, micro_batch_size=2), four, FSDP())


@dataclass
class Matrices(Signed):
    """The same, that says it must see whole matrices."""

    needs: ClassVar = frozenset({"whole matrix"})


@pytest.mark.slow
def test_a_technique_that_must_see_whole_matrices_is_refused_by_all(ranks):
    found = ranks.call(course, odd(techniques=(Matrices(),), placement=FSDP()))
    assert len({one.refused for one in found}) == 1 and "whole matrix" in found[0].refused


@pytest.mark.slow
def test_a_model_that_is_one_layer(ranks):
    assert not equal(tiny(model=one_layer, split=True), ranks, FSDP())


def one_layer() -> nn.Module:
    return nn.Linear(6, 3)


def plain_norm() -> nn.Module:
    return named(nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3)))


@pytest.mark.slow
def test_batch_norm_is_that_of_the_batch_on_all_processes(ranks):
    assert not equal(tiny(model=plain_norm, batch_size=12), ranks, FSDP())


# ---- losses that go into the model ----


@dataclass
class Middle(Technique):
    """Adds a term of what a method of the model, or a piece of one of its blocks, makes of the inputs."""

    piece: bool = False

    def wrap_objective(self, objective, run):
        def more(model, batch):
            loss = objective(model, batch)
            h = model.layers[1][1](model.hidden(batch.inputs)) if self.piece else model.hidden(batch.inputs)
            return Loss({**loss.terms, "middle": (h.square().sum(), "rows")})

        return more


@dataclass
class Elsewhere(Technique):
    """A loss of the second half of the micro-batches that goes nowhere through the model's blocks."""

    def wrap_objective(self, objective, run):
        def other(model, batch):
            half = (model.hidden(batch.inputs).square().sum(), "rows")
            return Loss({"middle": half if batch.place >= 2 else next(iter(objective(model, batch).terms.values()))})

        return other


@dataclass
class Sizes(Technique):
    """Adds the sum of the squares of one weight, taken of the weight itself."""

    name: str = "layers.0.weight"

    def wrap_objective(self, objective, run):
        def more(model, batch):
            loss = objective(model, batch)
            return Loss({**loss.terms, "size": (dict(model.named_parameters())[self.name].square().sum(), "once")})

        return more


@pytest.mark.slow
def test_a_loss_of_another_method_of_the_model(ranks):
    assert not equal(odd(techniques=(Middle(),)), ranks, FSDP())


PAST = [(Middle(piece=True), "past the forward"), (Sizes(), "`size`"), (Elsewhere(), "behind")]


@pytest.mark.slow
@pytest.mark.parametrize(("technique", "said"), PAST, ids=["piece", "size", "elsewhere"])
def test_a_loss_that_goes_past_a_block_trains_without_blocks_and_is_refused_with_them(technique, said, ranks):
    recipe = odd(techniques=(technique,), batch_size=8, micro_batch_size=2)
    assert not equal(recipe, ranks, FSDP(blocks=False))
    found = ranks.call(course, replace(recipe, placement=FSDP()))
    assert {said in one.refused and "placement.blocks=false" in one.refused for one in found} == {True}


@pytest.mark.slow
def test_parts_that_do_not_divide_are_refused(ranks):
    assert "does not divide" in ranks.call(course, odd(placement=FSDP(shard=3)))[0].refused


@dataclass
class Poison(Technique):
    """An infinite loss, and gradients that are no numbers, on the process that has row 9."""

    def wrap_objective(self, objective, run):
        def poisoned(model, batch):
            bad = torch.inf if bool((batch.ids == 9).any()) else 1.0
            return Loss({name: (value * bad, per) for name, (value, per) in objective(model, batch).terms.items()})

        return poisoned


@pytest.mark.slow
def test_a_step_that_is_not_finite_is_skipped_or_taken_back_by_all(ranks):
    for policy in ("skip", "rollback"):
        techniques = (Poison(), Nonfinite(policy=policy, every=1))
        recipe = odd(precision="fp64", techniques=techniques, batch_size=8, micro_batch_size=2)
        many, one = ranks.call(course, replace(recipe, placement=FSDP())), course(recipe)
        assert sum(not math.isfinite(loss) for loss in one.losses) == 1
        for found in many:
            assert found.losses == pytest.approx(one.losses, abs=1e-9, nan_ok=True)
            assert all(torch.allclose(found.tensors[name], value, rtol=0, atol=1e-9) for name, value in one.tensors.items())


def tokens() -> Data:
    """Rows of three tokens of five, and a class."""
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randint(0, 5, (40, 3), generator=draw), torch.randint(0, 3, (40,), generator=draw)
    return Data(Tensors(x, y), Facts("classify", (3,), 3, rows=40))


def sparse() -> nn.Module:
    return nn.Sequential(nn.EmbeddingBag(5, 7, sparse=True), nn.Linear(7, 3))


def mixed() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 7), nn.Linear(7, 3).double())


@pytest.mark.slow
@pytest.mark.parametrize(("model", "said"), [(mixed, "several"), (sparse, "sparse")], ids=["types", "sparse"])
def test_what_cannot_be_divided_is_refused(model, said, ranks):
    fields = {"data": tokens, "optimizer": SGD(), "batch_size": 8} if model is sparse else {}
    assert said in ranks.call(course, tiny(model=model, placement=FSDP(), **fields))[0].refused


@pytest.mark.slow
def test_weights_that_travel_in_bfloat16(ranks):
    """The loss is that of float32 but for the rounding of weights and outputs."""
    recipe = odd(optimizer=SGD(lr=0.1))
    low, full = (ranks.call(course, replace(recipe, placement=FSDP(traffic=traffic)))[0] for traffic in ("bf16", "stored"))
    assert low.losses != full.losses
    assert low.losses == pytest.approx(full.losses, rel=2e-2)
    assert {value.dtype for value in low.tensors.values()} == {torch.float32}


# ---- the state ----

CASES = {
    "adamw": odd(techniques=(EMA(), Clip(0.5)), batch_size=8, micro_batch_size=2),
    "muon": odd(optimizer=Muon(), techniques=(EMA(),), batch_size=8, micro_batch_size=2),
}


def saved(recipe: Recipe, k: int, folder: Path) -> list[float]:
    """Train k steps, save, go on to the end: the losses. The first process writes."""
    with Run(recipe) as run:
        reports = iter(run)
        losses = [float(next(reports).loss) for _ in range(k)]
        state = run.state()
        if run.placement.rank == 0:
            checkpoint.write(checkpoint.image(state), folder, k)
        run.placement.everyone(None)
        return losses + [float(report.loss) for report in reports] + [float(w.double().sum()) for w in weights(run).values()]


def resumed(recipe: Recipe, k: int, folder: Path) -> list[float]:
    """The same from what was saved."""
    with Run(recipe) as run:
        run.load(checkpoint.read(folder / f"step-{k}"))
        return [float(report.loss) for report in run] + [float(w.double().sum()) for w in weights(run).values()]


def described(tree: Any) -> Any:
    """A state without its numbers."""
    if isinstance(tree, torch.Tensor):
        return str(tree.dtype), tuple(tree.shape)
    if isinstance(tree, dict):
        return {key: described(value) for key, value in tree.items() if key not in ("fused", "foreach")}
    return [described(value) for value in tree] if isinstance(tree, list | tuple) else type(tree).__name__


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_what_one_layout_saves_any_other_loads(case, ranks, four, tmp_path):
    """Bit for bit on the same layout, within rounding on others; from parts to whole weights and back."""
    recipe, k = CASES[case], 3
    sharded, alone, copies = (replace(recipe, placement=where) for where in (FSDP(), None, DDP()))
    whole = ranks.call(saved, sharded, k, tmp_path / "fsdp")[0]
    assert ranks.call(resumed, sharded, k, tmp_path / "fsdp")[0] == whole[k:]
    for found in (
        resumed(alone, k, tmp_path / "fsdp"),
        four.call(resumed, sharded, k, tmp_path / "fsdp")[0],
        four.call(resumed, replace(recipe, placement=FSDP(shard=2)), k, tmp_path / "fsdp")[0],
        ranks.call(resumed, copies, k, tmp_path / "fsdp")[0],
    ):
        assert found == pytest.approx(whole[k:], abs=1e-5, rel=1e-5)
    first = saved(alone, k, tmp_path / "single")
    assert ranks.call(resumed, sharded, k, tmp_path / "single")[0] == pytest.approx(first[k:], abs=1e-5, rel=1e-5)
    ours, theirs = (checkpoint.read(tmp_path / name / f"step-{k}") for name in ("fsdp", "single"))
    assert described(ours) == described(theirs)


def asked(recipe: Recipe) -> list[list[str]]:
    """What each step asks to be kept as, where the clock of the second process runs twenty times as fast."""
    import itertools
    import time
    from unittest import mock

    with Run(recipe) as run:
        ticks = itertools.count()
        with mock.patch.object(time, "monotonic", side_effect=lambda: next(ticks) * (20.0 if run.placement.rank else 1.0)):
            return [sorted(report.save) for report in run]


@pytest.mark.slow
def test_clocks_that_differ_ask_for_the_same_saves_and_stop_at_the_same_step(ranks):
    """Where weights lie in parts all take part in a save: one that asked alone would wait for ever."""
    recipe = odd(techniques=(Checkpoint(every="3m"), EarlyStop(minutes=12.0)), steps=20, placement=FSDP())
    mine, other = ranks.call(asked, recipe)
    assert mine == other
    assert len(mine) < 20 and [] in mine and ["latest"] in mine[:-1]


def test_activation_checkpointing_is_equal_or_refused_before_the_first_step(ranks):
    for keep, words in (("nothing", ""), ("products", "use keep=nothing")):
        technique = ActivationCheckpointing(keep=keep)
        refused = placement(technique, tiny(technique, split=True), ranks, FSDP())
        assert words in refused and bool(words) == bool(refused)
