"""What holds for every optimiser that is found; `docs/optimisers.md` has the figures (`bench/conformance.py`)."""

import dataclasses
import math

import pytest
import torch
import toys
from torch import nn

from danlu.core import Run
from danlu.errors import BadInput
from danlu.find import catalogue
from danlu.optim.fused import fits
from danlu.testing import conformance
from danlu.testing.description import eval_repr
from danlu.testing.tiny import tiny

# L-BFGS evaluates the loss itself; its own tests are in test_lbfgs.py.
FOUND = [pytest.param(found.load()(), id=found.name) for found in catalogue("optimizer", others=False) if found.name != "lbfgs"]
STATE = {  # numbers kept for each parameter
    "SGD": 1, "Adam": 2, "AdamW": 2, "NAdam": 2, "RAdam": 2, "Adagrad": 1, "RMSprop": 1, "Adadelta": 2, "Lion": 1, "LAMB": 2,
    "ScheduleFreeSGD": 2, "ScheduleFreeAdamW": 3, "Prodigy": 4, "DAdaptation": 3, "Hypergradient": 3,
}  # fmt: skip


@pytest.mark.parametrize("description", FOUND)
def test_it_moves_everything_and_accumulates_exactly(description):
    assert conformance.moves(description)
    assert conformance.accumulates(description) < 1e-9


@pytest.mark.parametrize("description", FOUND)
def test_it_resumes_bit_for_bit(description):
    assert conformance.resumes(description, steps=4)


@pytest.mark.parametrize("description", FOUND)
def test_groups_by_rule(description):
    assert conformance.spares(description)


@pytest.mark.parametrize("description", FOUND)
def test_the_size_of_its_state(description):
    wanted = STATE.get(type(description).__name__)
    assert wanted is None or conformance.state_size(description) == wanted


def test_what_torch_has_is_torchs():
    """With fused kernels where those of this torch move a float32 parameter rightly."""
    there = {name.lower() for name in dir(torch.optim) if isinstance(getattr(torch.optim, name), type)}
    for found in catalogue("optimizer", others=False):
        origin = conformance.origin(found.load()())
        assert origin.startswith("torch") == (found.name.replace("_", "") in there), found.name
        if found.name in ("sgd", "adam", "adamw", "adagrad", "muon"):
            kind = torch.optim.AdamW if found.name == "muon" else getattr(torch.optim, type(found.load()()).__name__)
            assert ("fused" in origin) == fits(kind, torch.ones(3))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("description", FOUND)
def test_low_precision_learns_no_worse_than_float32(description, precision):
    """The weights are float32 in all of them; a loss scale must not be seen by the optimiser."""
    assert conformance.learned(description, precision=precision) < conformance.learned(description) + 0.05


NEAREST_FIRST = sorted(conformance.FACTORS, key=lambda factor: abs(math.log(factor)))


@pytest.mark.slow
@pytest.mark.parametrize("description", FOUND)
def test_it_finds_the_bottom_at_some_rate(description):
    for toy in conformance.TOYS:
        assert any(conformance.descended(description, toy, factor) < 0.1 for factor in NEAREST_FIRST), toy
    assert any(conformance.learned(description, factor) < 0.7 for factor in NEAREST_FIRST)


@pytest.mark.parametrize("description", FOUND)
def test_its_repr_rebuilds_it_and_it_is_left_as_it_was(description):
    before = repr(description)
    for _ in Run(tiny(optimizer=description, model=conformance.hidden_net, steps=1)):
        pass
    assert repr(description) == before and eval_repr(description) == description


@pytest.mark.parametrize("description", FOUND)
def test_a_parameter_without_a_gradient_stays(description):
    """Also when it has one later: its first step is then a first step."""
    used, spare = (nn.Parameter(torch.ones(3, 3)) for _ in range(2))
    optimizer = description([("used", used), ("spare", spare)])
    for step in range(4):
        used.grad = torch.full((3, 3), 0.5)
        spare.grad = torch.full((3, 3), 0.5) if step > 1 else None
        optimizer.step()
        assert torch.equal(spare, torch.ones(3, 3)) == (step < 2) or type(description).__name__ == "SOAP"
    assert spare.isfinite().all()


@pytest.mark.parametrize("description", FOUND)
def test_zero_gradients_are_no_trouble(description):
    p, b = nn.Parameter(torch.ones(3, 3)), nn.Parameter(torch.zeros(3))
    optimizer = description([("p", p), ("b", b)])
    for _ in range(3):
        p.grad, b.grad = torch.zeros(3, 3), torch.zeros(3)
        optimizer.step()
    assert p.isfinite().all() and b.isfinite().all()


@pytest.mark.parametrize("description", FOUND)
def test_scalars_convolutions_and_long_sides(description):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.conv, self.hidden, self.head = (
                nn.Parameter(torch.ones(())),
                nn.Conv1d(2, 3, 2),
                nn.Linear(15, 5),
                nn.Linear(5, 3),
            )

        def forward(self, x):
            return self.head(torch.tanh(self.hidden(self.conv(x.view(-1, 1, 6).expand(-1, 2, 6)).flatten(1)))) * self.scale

    options = {"max_side": 4} if hasattr(description, "max_side") else {}
    losses = [float(report.loss) for report in Run(toys.recipe(model=Odd, optimizer=dataclasses.replace(description, **options)))]
    assert all(loss == loss for loss in losses)


@pytest.mark.parametrize("description", FOUND)
def test_bad_ranges_are_a_sentence(description):
    for field, value in (("lr", -1.0), ("lr", float("nan")), ("weight_decay", -0.1), ("layer_decay", 0.0)):
        with pytest.raises(BadInput, match=rf"optimizer\.{field}"):
            Run(tiny(optimizer=dataclasses.replace(description, **{field: value}), model=conformance.hidden_net))


@pytest.mark.parametrize("description", FOUND)
def test_complex_parameters_are_refused(description):
    class Turning(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.head = nn.Linear(6, 6), nn.Linear(6, 3)
            self.phase = nn.Parameter(torch.ones(6, dtype=torch.complex64))

        def forward(self, x):
            return self.head(self.hidden(x) * self.phase.real)

    with pytest.raises(BadInput, match=r"`phase` is complex"):
        Run(tiny(optimizer=description, model=Turning))


@pytest.mark.parametrize("description", FOUND)
def test_sparse_gradients_are_moved_or_refused(description):
    class Looking(nn.Module):
        def __init__(self):
            super().__init__()
            self.look, self.hidden, self.head = nn.Embedding(9, 4, sparse=True), nn.Linear(4, 4), nn.Linear(4, 3)

        def forward(self, x):
            return self.head(self.hidden(self.look((x.abs() * 3).long().clamp(max=8)).mean(1)))

    name = type(description).__name__
    if name == "SGD":
        description = dataclasses.replace(description, momentum=0.0)
    recipe = tiny(optimizer=description, model=Looking, split=True)
    if name in ("SGD", "Adagrad"):
        run = Run(recipe)
        before = run.model.look.weight.detach().clone()
        for _ in run:
            pass
        assert not torch.equal(before, run.model.look.weight) and run.model.look.weight.isfinite().all()
        return
    with pytest.raises(BadInput, match="sparse gradients of the embedding `look`"):
        Run(recipe)
