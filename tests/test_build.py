"""What is refused before the first step, with the reason; and what a run's own copies are."""

import copy
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu import build
from danlu.core import Run, Technique
from danlu.errors import BadInput, Refused
from danlu.losses.adapt import batch_loss
from danlu.losses.regression import Quantile
from danlu.optim.plateau import ReduceOnPlateau
from danlu.placement.base import EVERYTHING
from danlu.placement.single import Single
from danlu.techniques.model.ghost_norm import GhostNorm
from danlu.techniques.reports.validate import Validate
from danlu.techniques.update.ema import EMA
from danlu.techniques.update.nonfinite import Nonfinite


@dataclass
class Greedy(Technique):
    needs: ClassVar = frozenset({"double backward", "inputs"})

    def wrap_update(self, update, run):
        return update


@dataclass
class Poor(Single):
    offers: ClassVar = EVERYTHING - {"double backward"}


def test_what_a_technique_needs_a_placement_must_offer():
    Run(toys.recipe(Greedy()))
    with pytest.raises(Refused, match="Greedy needs double backward"):
        Run(toys.recipe(Greedy(), placement=Poor()))


def contrast(output, target):
    """No sum over rows: every row is compared with every other."""
    return F.cross_entropy(output @ output.T, torch.arange(len(output)))


def test_a_loss_over_the_batch_is_refused_in_parts():
    Run(toys.recipe(loss=batch_loss(contrast)))
    Run(toys.recipe(loss=batch_loss(contrast), micro_batch_size=8))
    with pytest.raises(Refused, match="2 micro-batches"):
        Run(toys.recipe(loss=batch_loss(contrast), micro_batch_size=4))


def test_a_loss_that_is_no_sum_is_refused():
    with pytest.raises(Refused, match="mean_loss"):
        Run(toys.recipe(loss=lambda output, target: F.cross_entropy(output, target)))


NORMS = {
    "tracked": lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)),
    "untracked": lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8, track_running_stats=False), nn.Linear(8, 3)),
    "alone": lambda: nn.BatchNorm1d(6),
}


@pytest.mark.parametrize("model", NORMS.values(), ids=NORMS)
def test_batch_norm_is_refused_where_its_statistics_would_depend_on_the_split(model):
    fields = {"model": model, "data": lambda: toys.made(40, classes=6)} if model is NORMS["alone"] else {"model": model}
    with pytest.raises(Refused, match=r"ghost_norm\(size=4\)"):
        Run(toys.recipe(**fields, micro_batch_size=4))
    for run in (Run(toys.recipe(**fields)), Run(toys.recipe(GhostNorm(size=4), **fields, micro_batch_size=4))):
        list(run)


@pytest.mark.parametrize("rows, micro, ghost, refused", [
    (33, None, None, True), (34, None, None, False), (41, 8, 8, True), (44, 8, 4, False), (37, None, 4, True), (40, None, 1, True),
])  # fmt: skip
def test_batch_norm_is_refused_a_single_row(rows, micro, ghost, refused):
    recipe = toys.recipe(
        *([GhostNorm(size=ghost)] if ghost else []),
        model=toys.batch_normed, data=lambda: toys.made(rows), micro_batch_size=micro, steps=12,
    )  # fmt: skip
    if refused:
        with pytest.raises(Refused, match="single row"):
            Run(recipe)
    else:
        list(Run(recipe))


def test_one_row_is_no_trouble_where_it_has_many_positions():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm, self.out = nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4), nn.Linear(8, 3)

        def forward(self, x):
            return self.out(self.norm(self.conv(x.view(-1, 1, 2, 3))).flatten(1))

    assert len(list(Run(toys.recipe(model=Net, data=lambda: toys.made(33), steps=10)))) == 10


def test_looking_for_trouble_moves_nothing():
    live = toys.batch_normed().eval()
    generator = torch.get_rng_state()
    before = copy.deepcopy(live.state_dict())
    run = Run(toys.recipe(model=live))
    assert all(torch.equal(value, before[name].to(value.dtype)) for name, value in run.model.state_dict().items())
    assert torch.equal(generator, torch.get_rng_state())
    assert all(p.grad is None for p in run.model.parameters()) and run.model.training and run.step == 0


def test_a_wrong_label_is_named_with_its_row():
    def wrong():
        data = toys.made()
        data.train.targets[17] = 3
        return data

    with pytest.raises(BadInput, match="17"):
        Run(toys.recipe(data=wrong))


def test_the_models_outputs_are_as_many_as_the_loss_wants():
    def numbers():
        data = toys.made()
        x = data.train.inputs
        return type(data)(type(data.train)(x, x[:, :1]), type(data.facts)("regress", (6,), 1))

    model = lambda in_features, out_features: nn.Linear(in_features, out_features)
    assert Run(toys.recipe(model=model, data=numbers, loss=Quantile((0.1, 0.5, 0.9)))).model.out_features == 3
    assert Run(toys.recipe(model=model, data=numbers, loss="auto")).model.out_features == 1


def test_techniques_are_the_recipes_then_the_schedule_then_validation():
    recipe = toys.recipe(EMA(), schedule=ReduceOnPlateau(), data=lambda: toys.made(40, held_out=8))
    run = Run(recipe)
    assert [type(t) for t in run.techniques] == [EMA, Nonfinite, ReduceOnPlateau, Validate]
    assert all(mine is not theirs for mine in run.techniques for theirs in (*recipe.techniques, recipe.schedule))
    assert [type(t) for t in Run(toys.recipe(EMA(), validate=False, data=lambda: toys.made(40, held_out=8))).techniques] == [EMA, Nonfinite]
    assert [type(t) for t in Run(toys.recipe()).techniques] == [Nonfinite]  # nothing to validate on
    assert [type(t) for t in Run(toys.recipe(Nonfinite("halt"), EMA())).techniques] == [Nonfinite, EMA]
    own = Validate(every=2)
    assert Run(toys.recipe(validate=own, data=lambda: toys.made(40, held_out=8))).techniques[1:] == (own,)


def test_the_rate_follows_the_runs_own_plateau():
    """The object that watches the reports is the one whose factor the update reads."""
    run = Run(toys.recipe(
        schedule=ReduceOnPlateau(patience=0, factor=0.5, threshold=1e9), optimizer=toys.sgd(lr=0.1), validate=Validate(every=1),
        data=lambda: toys.made(40, held_out=8), steps=5,
    ))  # fmt: skip
    assert [report.lr for report in run] == pytest.approx([0.1, 0.1, 0.05, 0.025, 0.0125])


def test_the_same_seed_is_the_same_model_whatever_was_drawn_before():
    torch.manual_seed(1)
    a = Run(toys.recipe())
    torch.randn(100)
    assert toys.apart(a, Run(toys.recipe())) == 0.0 and toys.apart(a, Run(toys.recipe(seed=1))) > 0


def test_alike_copies_and_puts_in_the_place_of():
    saved = {"a": torch.arange(3.0), "b": [torch.ones(2), (None, 3)], "c": "text"}
    like = {"a": torch.zeros(3, dtype=torch.float64)}
    made = build.alike(saved, like, torch.device("cpu"))
    assert made["a"].dtype == torch.float64 and made["a"].tolist() == [0, 1, 2]
    assert made["b"][0].data_ptr() != saved["b"][0].data_ptr() and made["b"][1] == (None, 3) and made["c"] == "text"
    assert build.alike(saved["a"], None, torch.device("meta")).device.type == "meta"
