"""K-FAC against the exact Fisher matrix where both are equal, its invariances, and what it leaves alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu.core import Run, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import Refused
from danlu.optim.first_order import SGD
from danlu.techniques.gradient.kfac import KFAC, due
from danlu.testing.compare import at_step

torch.set_num_threads(1)
EXACT = partial(KFAC, fisher="exact", form="eigen", trust=None, factor_every=1, inverse_every=1)


def straight() -> nn.Module:
    """A linear net of three layers: with squared errors, what comes back to a layer does not depend on the row."""
    return nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 3))


def regression(rows: int = 32) -> Data:
    g = torch.Generator().manual_seed(0)
    return Data(Tensors(torch.randn(rows, 6, generator=g), torch.randn(rows, 3, generator=g)), Facts("regress", (6,), 3, rows=rows))


def squared(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (output - target).square().sum(1)


def fisher_blocks(model: nn.Module, x: torch.Tensor, output_fisher) -> dict[str, torch.Tensor]:
    """Each layer's block of the exact Fisher of the mean loss, from Jacobians: weights row by row, then the bias."""
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def outputs(parameters, row):
        return torch.func.functional_call(model, parameters, row[None])[0]

    jacobians = torch.func.vmap(torch.func.jacrev(outputs), (None, 0))(parameters, x)
    blocks = {}
    for name in {name.rpartition(".")[0] for name in parameters}:
        weight, bias = jacobians[f"{name}.weight"], jacobians[f"{name}.bias"]
        j = torch.cat([weight, bias[..., None]], -1).flatten(2)  # [rows, outputs, out * (in + 1)]
        blocks[name] = torch.einsum("ncp,ncd,ndq->pq", j, output_fisher, j) / len(x)
    return blocks


def solved(gradient: dict[str, torch.Tensor], blocks: dict[str, torch.Tensor], damping: float) -> dict[str, torch.Tensor]:
    found = {}
    for name, block in blocks.items():
        g = torch.cat([gradient[f"{name}.weight"], gradient[f"{name}.bias"][:, None]], 1)
        whole = torch.linalg.solve(block + damping * torch.eye(len(block)), g.flatten()).view_as(g)
        found[f"{name}.weight"], found[f"{name}.bias"] = whole[:, :-1], whole[:, -1]
    return found


def gradients(run: Run, batches) -> dict[str, torch.Tensor]:
    run.gradient(run.objective, batches)
    return {name: p.grad.clone() for name, p in run.model.named_parameters()}


@pytest.mark.parametrize("micro", [None, 8])
def test_on_a_linear_net_with_squared_errors_it_is_the_exact_natural_gradient_of_each_layer(micro):
    made = toys.recipe(EXACT(damping=0.01), model=straight, data=regression, loss=squared, batch_size=32, micro_batch_size=micro)
    run, batches = at_step(made, 0)
    found = gradients(run, batches)
    run.gradient = run.placement.gradient(run.model)
    plain = gradients(run, batches)
    x = torch.cat([batch.inputs for batch in batches])
    blocks = fisher_blocks(run.model, x, 2 * torch.eye(3).double().expand(32, 3, 3))
    wanted = solved(plain, blocks, 0.01)
    assert all(torch.allclose(found[name], wanted[name], atol=1e-10) for name in wanted)


def test_of_one_row_a_softmax_layer_is_exact_too():
    made = toys.recipe(EXACT(damping=0.05), model=lambda: nn.Sequential(nn.Linear(6, 3)), batch_size=1)
    run, batches = at_step(made, 0)
    found = gradients(run, batches)
    run.gradient = run.placement.gradient(run.model)
    plain = gradients(run, batches)
    x = batches[0].inputs
    share = run.model(x).softmax(-1).detach()[0]
    blocks = fisher_blocks(run.model, x, (torch.diag(share) - torch.outer(share, share))[None])
    wanted = solved(plain, blocks, 0.05)
    assert all(torch.allclose(found[name], wanted[name], atol=1e-10) for name in wanted)


def test_targets_drawn_from_the_model_give_the_exact_factors_on_average():
    total = {}
    for seed in range(150):
        run, batches = at_step(toys.recipe(KFAC(), batch_size=40, seed=0), 0)
        run.seed = seed
        found = run.techniques[0]._statistics(run.objective, batches, run)
        for name, own in found.items():
            total[name] = total.get(name, 0) + own["G"] / 150
    run, batches = at_step(toys.recipe(KFAC(fisher="exact"), batch_size=40), 0)
    exact = run.techniques[0]._statistics(run.objective, batches, run)
    for name, mean in total.items():
        assert float((mean - exact[name]["G"]).norm() / exact[name]["G"].norm()) < 0.05
    empirical = at_step(toys.recipe(KFAC(fisher="empirical"), batch_size=40), 0)
    other = empirical[0].techniques[0]._statistics(empirical[0].objective, empirical[1], empirical[0])
    assert all(float((other[name]["G"] - own["G"]).norm() / own["G"].norm()) > 0.1 for name, own in exact.items()), "it is another matrix"


@pytest.mark.parametrize("fisher", ["sampled", "exact", "empirical"])
def test_any_split_into_micro_batches_trains_the_same(fisher):
    kfac = KFAC(fisher=fisher, damping=0.01, factor_every=2, inverse_every=2, adapt_every=2)
    fields = {
        "data": lambda: toys.tokens(40),
        "model": lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)),
        "batch_size": 20,
    }
    assert toys.apart(toys.trained(kfac, **fields), toys.trained(kfac, **fields, micro_batch_size=5)) < 1e-9


def test_a_change_of_units_of_the_inputs_changes_nothing():
    """K-FAC is invariant to affine maps of a layer's inputs (Martens and Grosse 2015, section 10), up to damping."""

    def data(scale: torch.Tensor):
        def made() -> Data:
            rows = regression()
            return Data(Tensors(rows.train.inputs * scale, rows.train.targets), rows.facts)

        return made

    scale = torch.tensor([1.0, 10.0, 0.1, 3.0, 0.5, 1.0])
    x = regression().train.inputs[:8].double()

    def outputs(scale, technique):
        def net():
            made = straight()
            with torch.no_grad():
                made[0].weight.copy_(torch.randn(5, 6, generator=torch.Generator().manual_seed(1)) / scale)
            return made

        optimizer = SGD(lr=0.05, momentum=0.0)
        techniques = (technique,) if technique else ()
        run = toys.trained(*techniques, model=net, data=data(scale), loss=squared, batch_size=32, optimizer=optimizer, steps=5)
        return run.model(x * scale.double()).detach()

    ones = torch.ones(6)
    drift = (outputs(scale, EXACT(damping=1e-9)) - outputs(ones, EXACT(damping=1e-9))).abs().max()
    plain = (outputs(scale, None) - outputs(ones, None)).abs().max()
    assert drift < 1e-3 and not plain < 0.1


def test_the_first_steps_do_not_rest_on_the_first_batch_alone():
    """The second moment of n batches of 4 rows has rank 4 n: what divides a step at the default intervals soon knows more directions."""

    def known(steps: int) -> int:
        data = lambda: toys.made(rows=400, features=60)
        kfac = KFAC(form="eigen", damping=0.1)
        run = toys.trained(kfac, model=lambda: nn.Sequential(nn.Linear(60, 3, bias=False)), data=data, batch_size=4, steps=steps)
        values = run.techniques[0].inverses["0"]["sA"]
        return int((values > 1e-9 * values.max()).sum())

    assert [known(steps) for steps in (1, 2, 3, 9)] == [4, 8, 12, 20]
    assert [step for step in range(301) if due(step, 100)] == [0, 1, 2, 4, 8, 16, 32, 64, 100, 200, 300]
    assert all(due(step, 1) for step in range(9))


def test_it_needs_far_fewer_steps_than_the_plain_gradient_on_an_ill_conditioned_net():
    def data() -> Data:
        g = torch.Generator().manual_seed(0)
        x = torch.randn(64, 6, generator=g) * torch.tensor([1.0, 0.01, 10.0, 0.1, 1.0, 3.0])
        return Data(Tensors(x, x @ torch.randn(6, 3, generator=g)), Facts("regress", (6,), 3, rows=64))

    def lost(*techniques, lr):
        made = toys.recipe(
            *techniques, model=straight, data=data, loss=squared, batch_size=64, optimizer=SGD(lr=lr, momentum=0.0), steps=30
        )
        with Run(made) as run:
            return [float(report.loss) for report in run][-1]

    best = min(lost(lr=10**e) for e in (-4, -3.5, -3, -2.5, -2) if lost(lr=10**e) == lost(lr=10**e))
    assert lost(EXACT(damping=1e-4), lr=0.3) < best / 10


def test_the_step_is_bounded_by_the_trust_region():
    """lr^2 g F^-1 g above the bound: the step is shortened by the root of their ratio, so that the step's own form is the bound itself."""

    def length(trust: float | None) -> float:
        kfac = KFAC(damping=0.01, trust=trust)
        run, batches = at_step(toys.recipe(kfac, batch_size=40, optimizer=SGD(lr=0.5, momentum=0.0)), 0)
        made = gradients(run, batches)
        run.gradient = run.placement.gradient(run.model)
        plain = gradients(run, batches)
        return 0.25 * sum(float((made[name] * plain[name]).sum()) for name in made)

    free = length(None)
    assert free > 1e-3 and length(free * 2) == pytest.approx(free)
    assert length(free / 100) == pytest.approx(free / 10)


def test_the_trust_region_is_of_the_rate_of_its_own_step():
    """A schedule and a rate, of which the trust region must see the product: at every step, and before the first one too."""
    scheduled = lambda total: lambda step: (0.1, 1.0, 0.02)[step]
    fields = {"batch_size": 32, "loss": squared, "data": regression, "model": straight}

    def first(rate: float, schedule) -> Run:
        return toys.trained(EXACT(trust=1e-3), **fields, steps=1, optimizer=SGD(lr=rate, momentum=0.0), schedule=schedule)

    assert toys.apart(first(0.5, scheduled), first(0.05, None)) < 1e-14
    seen = []

    @dataclass
    class Rates(Technique):
        def wrap_gradient(self, gradient, run):
            def looked(objective, batches):
                seen.append(run.optimizer.param_groups[0]["lr"])
                return gradient(objective, batches)

            return looked

    reports = list(Run(toys.recipe(Rates(), optimizer=toys.sgd(lr=0.5), schedule=scheduled, steps=3)))
    assert seen == [report.lr for report in reports] == [0.05, 0.5, 0.01]


def test_the_trust_region_knows_the_rates_of_groups():
    """The length of a step is taken with each layer's own rate."""

    def optimizer(share: float):
        def made(params):
            named = dict(params)
            groups = [
                {"params": [p for name, p in named.items() if name.startswith("0")], "lr": 0.5},
                {"params": [p for name, p in named.items() if not name.startswith("0")], "lr": 0.5 * share},
            ]
            return torch.optim.SGD(groups)

        return made

    def found(trust, share):
        run, batches = at_step(toys.recipe(KFAC(damping=0.01, trust=trust), batch_size=40, optimizer=optimizer(share)), 0)
        made = gradients(run, batches)
        run.gradient = run.placement.gradient(run.model)
        return made, gradients(run, batches)

    made, plain = found(None, 0.1)
    length = sum(float((made[name] * plain[name]).sum()) * (0.5 if name.startswith("0") else 0.05) ** 2 for name in made)
    bounded, _ = found(length / 4, 0.1)
    assert all(torch.allclose(bounded[name], made[name] / 2) for name in made)


def test_damping_falls_where_the_model_is_right_and_rises_where_it_is_not():
    def after(damping: float, **fields) -> float:
        kfac = EXACT(damping=damping, adapt_every=1)
        run = toys.trained(kfac, **{"batch_size": 40, "optimizer": SGD(lr=1.0, momentum=0.0), "steps": 4, **fields})
        return float(run.techniques[0].damping_now) / damping

    one = {"model": lambda: nn.Sequential(nn.Linear(6, 3)), "data": regression, "loss": squared, "batch_size": 32}
    assert after(1.0, **one) == pytest.approx((19 / 20) ** 4)  # of a quadratic loss the model is exact, and the damping only too careful
    assert after(1e-3) == pytest.approx((20 / 19) ** 4)  # whole steps through the bends of a softmax: the loss rises


@pytest.mark.parametrize("form", ["kronecker", "eigen"])
@pytest.mark.parametrize("precision", ["fp32", "fp64"])
def test_singular_factors_are_no_trouble(form, precision):
    """One row a step, an input that is always zero, a layer that ReLU shuts, and next to no damping."""

    class Shut(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.shut, self.last = nn.Linear(6, 5), nn.Linear(5, 5), nn.Linear(5, 3)
            nn.init.constant_(self.shut.bias, -50.0)

        def forward(self, x):
            hidden = self.first(x * torch.tensor([1.0, 0, 1, 1, 0, 1]))
            return self.last(hidden + torch.relu(self.shut(hidden)))

    kfac = KFAC(damping=1e-30, form=form, factor_every=1, inverse_every=1, trust=1e-3)
    run = Run(toys.recipe(kfac, model=Shut, batch_size=1, steps=5, precision=precision, optimizer=SGD(lr=0.01, momentum=0.0)))
    assert all(bool(report.outcome.moved) for report in run)
    assert all(torch.isfinite(p).all() for p in run.model.parameters())


def test_what_it_cannot_do_is_said():
    with pytest.raises(Refused, match="no linear, convolution or embedding layer"):
        Run(toys.recipe(KFAC(), model=lambda: nn.Sequential(nn.BatchNorm1d(6)), data=lambda: toys.made(classes=6)))
    with pytest.warns(UserWarning, match="kfac leaves to the inner optimiser: 1 "):
        Run(toys.recipe(KFAC(), model=lambda: nn.Sequential(nn.Unflatten(1, (1, 6)), nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3))))

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 3)

        def forward(self, x):
            return {"first": self.layer(x), "second": x}

    made = toys.recipe(KFAC(), model=Two, loss=lambda output, target: F.cross_entropy(output["first"], target, reduction="none"))
    with pytest.raises(Refused, match=r"set kfac\.fisher=empirical"):
        list(Run(made))


def test_an_embedding_of_positions_is_left_to_the_inner_optimiser():
    """It is called once for all rows; its factors would depend on the split (random recipes found it)."""

    class Places(nn.Module):
        def __init__(self):
            super().__init__()
            self.place, self.head = nn.Embedding(5, 6), nn.Linear(6, 3)

        def forward(self, x):
            return self.head(x + self.place(torch.arange(5)))

    kfac = KFAC(fisher="exact", damping=0.01, factor_every=1, inverse_every=1)
    fields = {"data": lambda: toys.tokens(40), "model": Places, "batch_size": 20}
    with pytest.warns(UserWarning, match=r"kfac leaves to the inner optimiser: place \(not called, or called once for all rows\)"):
        whole, split = toys.trained(kfac, **fields), toys.trained(kfac, **fields, micro_batch_size=5)
    assert toys.apart(whole, split) < 1e-9 and set(whole.techniques[0].factors) == {"head"}
