"""Against algorithm 1 of Yu et al. 2020 written out, and a case by hand."""

from __future__ import annotations

import pytest
import torch
import toys
from torch import nn

from danlu.core import Recipe, Run
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import BadInput
from danlu.keys import mix
from danlu.placement.base import Placement
from danlu.techniques.gradient.pcgrad import PCGrad, surgery
from danlu.techniques.objective.l1 import L1

dot = Placement().dot


def vectors(*values):
    return [[torch.tensor(value, dtype=torch.float64)] for value in values]


def test_two_gradients_that_conflict_are_projected_off_each_other_and_others_are_left():
    (found,) = surgery(vectors([1.0, 0.0], [-1.0, 1.0]), [[1], [0]], dot)
    assert torch.allclose(found, torch.tensor([0.5, 0.5]).double() + torch.tensor([0.0, 1.0]).double())
    (found,) = surgery(vectors([1.0, 0.5], [0.0, 2.0]), [[1], [0]], dot)
    assert found.tolist() == [1.0, 2.5]
    (found,) = surgery(vectors([0.0, 0.0], [0.0, 2.0]), [[1], [0]], dot)
    assert found.tolist() == [0.0, 2.0]
    opposite = surgery(vectors([1.0, -2.0], [-2.0, 4.0]), [[1], [0]], dot)[0]
    assert torch.allclose(opposite, torch.zeros(2).double())


def three(output, target):
    rows = torch.arange(len(target))
    scores = output.log_softmax(-1)
    return {"own": -scores[rows, target].sum(), "next": -scores[rows, (target + 1) % 3].sum(), "size": output.square().sum() / 2}


@pytest.mark.parametrize("micro", [None, 3])
def test_the_algorithm_in_a_training(micro):
    run = Run(toys.recipe(PCGrad(), loss=three, micro_batch_size=micro, seed=5, steps=8))
    model = toys.twin(run)
    weights = list(model.parameters())
    optimizer = toys.sgd(momentum=0.9)(weights)
    conflicts = 0
    for step, report in enumerate(run):
        x, y = toys.rows_of(run, step)
        losses = {name: value / len(y) for name, value in three(model(x), y).items()}
        parts = [
            torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)])
            for loss in losses.values()
        ]
        key, total = mix(5, "pcgrad", step), 0
        for i, part in enumerate(parts):
            own = part.clone()
            for j in sorted(range(3), key=lambda j: mix(key, i, j)):
                if j != i and own @ parts[j] < 0:
                    own -= (own @ parts[j]) / (parts[j] @ parts[j]) * parts[j]
                    conflicts += 1
            total = total + own
        for p, g in zip(weights, total.split([p.numel() for p in weights])):
            p.grad = g.view_as(p)
        optimizer.step()
        said = {name: float(value) for name, value in report.outcome.terms.items()}
        assert said == pytest.approx({name: loss.item() for name, loss in losses.items()})
    assert conflicts > 8 and max((p - q).abs().max().item() for p, q in zip(weights, run.model.parameters())) < 1e-12


def test_buffers_and_dropout_are_those_of_one_look_and_penalties_are_parts():
    plain = toys.trained(PCGrad(terms=("own",)), loss=three, model=toys.batch_normed)
    again = toys.trained(PCGrad(terms=("own",)), loss=three, model=toys.batch_normed)
    assert toys.apart(plain, again) == 0 and int(plain.model[1].num_batches_tracked) == 6
    whole, split = (toys.trained(PCGrad(), L1(weight=1e-2), loss=three, model=toys.normed, micro_batch_size=micro) for micro in (None, 3))
    assert toys.apart(whole, split) < 1e-12


def test_one_term_is_left_as_it_is_and_a_wrong_name_is_said():
    assert toys.apart(toys.trained(PCGrad()), toys.trained()) == 0
    with pytest.raises(BadInput, match=r"`nothing`.*own, next, size"):
        toys.trained(PCGrad(terms=("nothing",)), loss=three)


class Point(nn.Module):
    """Two numbers."""

    def __init__(self):
        super().__init__()
        self.place = nn.Parameter(torch.tensor([1.0, 0.0]))

    def forward(self, x):
        return self.place.expand(len(x), 2)


def triad(output, target):
    """Parts that conflict, one of which is larger and curved: what section 2.3 of the paper calls the tragic triad."""
    x, y = output[:, 0], output[:, 1]
    return {"curved": 5 * x.square().sum(), "straight": (y - x).sum()}


@pytest.mark.parametrize(("techniques", "place", "loss"), [((PCGrad(),), (0.0, -1.2), -1.2), ((), (-0.8, -0.2), 3.8)])
def test_a_step_where_conflict_size_and_curvature_meet_lands_lower(techniques, place, loss):
    """Their theorem 2, by hand: gradients (10, 0) and (-1, 1) become (5, 5) and (0, 1), in a step of 0.2."""

    def data() -> Data:
        return Data(Tensors(torch.zeros(2, 1), torch.zeros(2, 1)), Facts("regress", (1,), 1, rows=2))

    fields = {"precision": "fp64", "steps": 2, "batch_size": 2, "validate": False, "device": "cpu"}
    with Run(Recipe(Point, data, triad, toys.sgd(0.2), techniques=techniques, **fields)) as run:
        reports = iter(run)
        assert float(next(reports).loss) == pytest.approx(4)
        assert run.model.place.tolist() == pytest.approx(place)
        assert float(next(reports).loss) == pytest.approx(loss)
