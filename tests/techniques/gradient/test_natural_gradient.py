"""The natural gradient against the Fisher matrix written out from Jacobians, Newton's method, and changes of the parameters' names."""

from __future__ import annotations

from functools import partial

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import Tensor, nn

from danlu.core import Run
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import Refused, Trouble
from danlu.optim.first_order import SGD
from danlu.techniques.gradient.natural_gradient import NaturalGradient
from danlu.testing.compare import at_step

torch.set_num_threads(1)
FREE = partial(NaturalGradient, trust=None)
BY_CG = partial(FREE, exact_up_to=0, tolerance=1e-12, iterations=300)


def bent() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3))


def regression(rows: int = 40, outputs: int = 3) -> Data:
    g = torch.Generator().manual_seed(0)
    inputs, targets = torch.randn(rows, 6, generator=g), torch.randn(rows, outputs, generator=g)
    return Data(Tensors(inputs, targets), Facts("regress", (6,), outputs, rows=rows))


def squared(output: Tensor, target: Tensor) -> Tensor:
    return (output - target).square().sum(1)


def flat(run: Run, batches) -> Tensor:
    run.gradient(run.objective, batches)
    return torch.cat([p.grad.flatten() for p in run.model.parameters()])


def jacobian(model: nn.Module, x: Tensor) -> Tensor:
    """[rows, outputs, weights], each row by itself."""
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def outputs(parameters, row):
        return torch.func.functional_call(model, parameters, row[None])[0]

    found = torch.func.vmap(torch.func.jacrev(outputs), (None, 0))(parameters, x)
    return torch.cat([found[name].flatten(2) for name in parameters], 2)


def both(technique: NaturalGradient, **fields):
    """A natural gradient, the plain one, and the run and batches that they are of."""
    run, batches = at_step(toys.recipe(technique, **{"model": bent, "batch_size": 40, **fields}), 0)
    found = flat(run, batches)
    run.gradient = run.placement.gradient(run.model)
    return found, flat(run, batches), run, batches


def away(found: Tensor, matrix: Tensor, plain: Tensor, damping: float) -> float:
    wanted = torch.linalg.solve(matrix + damping * torch.eye(len(matrix), dtype=matrix.dtype), plain)
    return float((found - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("how", [FREE, BY_CG], ids=["matrix", "cg"])
@pytest.mark.parametrize("micro", [None, 8])
@pytest.mark.parametrize("curvature", ["exact", "gauss_newton"])
def test_of_a_classification_it_is_the_closed_form(how, micro, curvature):
    """Of a softmax the second derivative of the loss is the Fisher."""
    found, plain, run, batches = both(how(damping=0.01, curvature=curvature), micro_batch_size=micro)
    x = torch.cat([batch.inputs for batch in batches])
    j, share = jacobian(run.model, x), run.model(x).softmax(-1).detach()
    h = torch.diag_embed(share) - share[:, :, None] * share[:, None]
    assert away(found, torch.einsum("ncp,ncd,ndq->pq", j, h, j) / 40, plain, 0.01) < 1e-9


@pytest.mark.parametrize("how", [FREE, BY_CG], ids=["matrix", "cg"])
@pytest.mark.parametrize("curvature", ["exact", "gauss_newton"])
def test_of_a_regression_it_is_the_closed_form(how, curvature):
    found, plain, run, batches = both(how(damping=0.01, curvature=curvature), data=regression, loss=squared)
    j = jacobian(run.model, batches[0].inputs)
    assert away(found, 2 * torch.einsum("ncp,ncq->pq", j, j) / 40, plain, 0.01) < 1e-9


def test_the_empirical_one_is_of_the_gradients_of_rows():
    found, plain, run, batches = both(FREE(damping=0.01, curvature="empirical"), micro_batch_size=8)
    rows = torch.stack(
        [
            torch.cat([g.flatten() for g in torch.autograd.grad(F.cross_entropy(run.model(x[None]), y[None]), run.model.parameters())])
            for batch in batches
            for x, y in zip(batch.inputs, batch.targets)
        ]
    )
    assert away(found, rows.T @ rows / 40, plain, 0.01) < 1e-9


def test_targets_drawn_from_the_model_give_the_fisher_on_average():
    def matrix(technique, seed):
        run, batches = at_step(toys.recipe(technique, model=bent, batch_size=40), 0)
        run.seed = seed
        outcome = run.placement.gradient(run.model)(run.objective, batches)
        (linear,) = technique._looks(run.objective, batches, run.trainable(), outcome, run)
        return linear.matrix()

    exact = matrix(FREE(), 0)
    mean = sum(matrix(FREE(curvature="sampled"), seed) for seed in range(100)) / 100
    assert float((mean - exact).norm() / exact.norm()) < 0.1


def test_a_straight_model_is_solved_in_one_step():
    """Newton's method, of which the natural gradient of a linear regression is one step."""
    run = toys.trained(
        FREE(damping=1e-12), model=lambda: nn.Linear(6, 3), data=regression, loss=squared, batch_size=40, steps=1,
        optimizer=SGD(lr=1.0, momentum=0.0),
    )  # fmt: skip
    x, y = run.data.train.fetch(torch.arange(40), 0)
    x = torch.cat([x, torch.ones(40, 1)], 1).double()
    wanted = torch.linalg.lstsq(x, y.double()).solution.T
    assert torch.allclose(torch.cat([run.model.weight, run.model.bias[:, None]], 1), wanted, atol=1e-9)


class Renamed(nn.Module):
    """The net `bent` with a few outputs, whose weights are linear maps of what is trained: another name for the same functions."""

    def __init__(self, name: bool):
        super().__init__()
        g = torch.Generator().manual_seed(5)
        draw = lambda *shape: torch.randn(*shape, generator=g)
        start = {"a": draw(2, 6) / 2, "b": draw(2), "c": draw(3, 2)}
        for key, value in start.items():
            size = value.numel()
            to = torch.eye(size) * torch.linspace(0.3, 3, size) + 0.3 * draw(size, size) if name else torch.eye(size)
            self.register_buffer(f"{key}_map", to.double())
            trained = torch.linalg.solve(to.double(), value.double().flatten())
            self.register_parameter(key, nn.Parameter(trained))
            setattr(self, f"{key}_shape", value.shape)

    def weight(self, key: str) -> Tensor:
        return (getattr(self, f"{key}_map") @ getattr(self, key)).view(getattr(self, f"{key}_shape"))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x @ self.weight("a").T + self.weight("b")) @ self.weight("c").T


@pytest.mark.parametrize("how", [FREE, BY_CG], ids=["matrix", "cg"])
def test_a_change_of_the_parameters_changes_nothing(how):
    """Linear maps of all weights: the functions along the path are the same ones, and with the plain gradient they are not."""
    x = regression().train.inputs.double()

    def outputs(name: bool, *techniques) -> Tensor:
        fields = {"model": lambda: Renamed(name), "data": regression, "loss": squared, "batch_size": 40}
        return toys.trained(*techniques, **fields, optimizer=SGD(lr=0.3, momentum=0.0), steps=4).model(x).detach()

    assert (outputs(True) - outputs(False)).abs().max() > 0.05
    assert torch.allclose(outputs(True, how(damping=1e-11)), outputs(False, how(damping=1e-11)), atol=1e-6)


class Mixed(nn.Module):
    """An embedding, attention, norms of two kinds and a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.attend, self.norm = nn.Embedding(5, 4), nn.Linear(4, 12), nn.LayerNorm(4)
        self.conv, self.batch, self.head = nn.Conv1d(4, 3, 2), nn.BatchNorm1d(3), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed((x * 2).long().clamp(-2, 2) + 2)
        q, k, v = self.attend(h).unsqueeze(1).chunk(3, -1)
        h = self.norm(h + F.scaled_dot_product_attention(q, k, v).squeeze(1))
        return self.head(torch.tanh(self.batch(self.conv(h.transpose(1, 2)))).mean(-1))


def test_conjugate_gradients_agree_with_the_matrix_whatever_the_layers():
    """BatchNorm in training couples rows: J is that of the batch."""
    ends = [both(how(damping=0.1), model=Mixed)[0] for how in (FREE, BY_CG)]
    assert float((ends[0] - ends[1]).norm() / ends[0].norm()) < 1e-8


@pytest.mark.parametrize("how", [FREE, partial(BY_CG, iterations=8)], ids=["matrix", "cg"])
@pytest.mark.parametrize("curvature", ["exact", "sampled", "empirical", "gauss_newton"])
def test_any_split_into_micro_batches_trains_the_same(how, curvature):
    fields = {"data": lambda: toys.tokens(40), "batch_size": 20, "steps": 3}
    ends = [toys.trained(how(damping=0.1, curvature=curvature), **fields, micro_batch_size=micro) for micro in (None, 5)]
    assert toys.apart(*ends) < 1e-9


def test_the_step_is_bounded_by_the_trust_region():
    fields = {"optimizer": SGD(lr=0.5, momentum=0.0)}
    free, plain, *_ = both(FREE(damping=0.01), **fields)
    length = 0.25 * float(free @ plain)
    bounded, *_ = both(NaturalGradient(damping=0.01, trust=length / 4), **fields)
    loose, *_ = both(NaturalGradient(damping=0.01, trust=length * 2), **fields)
    assert torch.allclose(bounded, free / 2) and torch.equal(loose, free)


@pytest.mark.parametrize("how", [FREE, BY_CG], ids=["matrix", "cg"])
def test_a_singular_fisher_and_weights_without_a_gradient_are_no_trouble(how):
    """More weights than outputs of all rows, one layer that works and one that the outputs do not depend on."""

    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Linear(6, 3), nn.Linear(4, 4)

        def forward(self, x):
            return self.used(x)

    def penalised(model, batch):
        from danlu.core import Loss

        error = F.cross_entropy(model(batch.inputs), batch.targets, reduction="sum")
        return Loss({"error": (error, "rows"), "penalty": (0.1 * model.unused.weight.square().sum(), "once")})

    run = toys.trained(how(damping=1e-30), model=Idle, loss=penalised, batch_size=2, steps=4, optimizer=SGD(lr=0.01, momentum=0.0))
    assert all(torch.isfinite(p).all() for p in run.model.parameters())


def test_a_curvature_that_is_negative_moves_nothing_and_says_so():
    """A loss that bends down has no Gauss-Newton matrix to divide by; conjugate gradients end with the plain gradient."""
    down = lambda output, target: -(output - target).square().sum(1)
    options = {"curvature": "gauss_newton", "damping": 1e-3}
    run = Run(toys.recipe(FREE(**options), model=bent, data=regression, loss=down, batch_size=40, steps=1))
    before = toys.state(run)
    (report,) = list(run)
    assert not report.outcome.moved and "technique" in report.metrics["nonfinite_in"]
    assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())
    found, plain, *_ = both(BY_CG(**options), data=regression, loss=down)
    assert torch.equal(found, plain)


@pytest.mark.parametrize("how", [FREE, BY_CG], ids=["matrix", "cg"])
def test_running_statistics_move_once_a_step(how):
    run, twin = (toys.trained(*t, model=toys.batch_normed, steps=1, batch_size=20) for t in ((how(damping=0.1),), ()))
    for name, value in run.model.named_buffers():
        assert torch.equal(value, dict(twin.model.named_buffers())[name])
    assert int(run.model[1].num_batches_tracked) == 1


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_in_low_precision_it_is_that_of_the_stored_weights(precision):
    found, *_ = both(FREE(damping=0.1), precision="fp32")
    low, *_ = both(FREE(damping=0.1), precision=precision)
    assert float((low - found).norm() / found.norm()) < 0.05


def words() -> Data:
    """One word a row."""
    g = torch.Generator().manual_seed(0)
    return Data(Tensors(torch.randint(5, (40,), generator=g), torch.randint(3, (40,), generator=g)), Facts("classify", (), 3, rows=40))


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return g * 2


def test_what_it_cannot_do_is_said():
    class Custom(nn.Linear):
        def forward(self, x):
            return Once.apply(super().forward(x))

    for model in (lambda: Custom(6, 3), lambda: nn.Sequential(Custom(6, 3), nn.Linear(3, 3))):  # the second is found by its J alone
        with pytest.raises(Refused, match="has no second derivative"):
            list(Run(toys.recipe(BY_CG(), model=model)))
        toys.trained(FREE(damping=0.1), model=model)  # the matrix needs none
    with pytest.raises(Refused, match="sparse gradients of layer `0`"):
        Run(toys.recipe(FREE(), model=lambda: nn.Sequential(nn.Embedding(5, 3, sparse=True), nn.Linear(3, 3)), data=words))

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 3)

        def forward(self, x):
            return {"first": self.layer(x), "second": x}

    made = toys.recipe(FREE(), model=Two, loss=lambda output, target: F.cross_entropy(output["first"], target, reduction="none"))
    with pytest.raises(Trouble, match="needs one tensor of outputs"):
        list(Run(made))
