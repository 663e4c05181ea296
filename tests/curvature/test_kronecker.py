"""Kronecker factors against the Fisher matrix itself, where theory says that they are equal, and between layers that are one another."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.core import Batch
from danlu.curvature.kronecker import Unit, basis, by_basis, by_inverses, inverses, quadratic, units
from danlu.curvature.outputs import gradients

torch.set_num_threads(1)


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dense(a: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    """The Kronecker product for weights [out, in] flattened row by row."""
    return torch.kron(g, a)


@pytest.mark.parametrize("form", ["kronecker", "eigen"])
def test_preconditioning_is_the_inverse_of_the_damped_product(form):
    a, g = (torch.randn(n, n, generator=draw(n)).double() for n in (5, 4))
    factors = {"A": a @ a.T, "G": g @ g.T}
    gradient = torch.randn(4, 5, generator=draw()).double()
    found = by_inverses(gradient, inverses(factors, 0.3)) if form == "kronecker" else by_basis(gradient, basis(factors), 0.3)
    if form == "kronecker":
        ratio = (factors["A"].trace() / 5 / (factors["G"].trace() / 4)).sqrt()
        matrix = dense(factors["A"] + ratio * 0.3**0.5 * torch.eye(5), factors["G"] + 0.3**0.5 / ratio * torch.eye(4))
    else:
        matrix = dense(factors["A"], factors["G"]) + 0.3 * torch.eye(20)
    assert torch.allclose(found.flatten(), torch.linalg.solve(matrix, gradient.flatten()), atol=1e-10)
    moved = torch.randn(4, 5, generator=draw(9)).double()
    assert quadratic(moved, factors) == pytest.approx(float(moved.flatten() @ dense(**factors_of(factors)) @ moved.flatten()))


def factors_of(factors):
    return {"a": factors["A"], "g": factors["G"]}


@pytest.mark.parametrize(
    "task, shape", [("classify", (6, 4)), ("classify", (6, 3, 4)), ("multilabel", (6, 4)), ("regress", (6, 4)), ("regress", (6,))]
)
def test_outer_products_sum_to_the_fisher_of_the_outputs(task, shape):
    """The exact ones to the second derivative of the model's own loss, the sampled ones on average."""
    z = torch.randn(shape, generator=draw()).double()
    targets = torch.zeros(shape[:-1], dtype=torch.long) if task == "classify" else torch.zeros(shape)
    batch = Batch(None, targets, torch.arange(shape[0]))

    def loss(z: torch.Tensor) -> torch.Tensor:
        if task == "classify":
            return (torch.logsumexp(z, -1) - z[..., 0]).sum()
        return (F.softplus(z) - z * 0).sum() if task == "multilabel" else z.square().sum()

    hessian = torch.func.hessian(loss)(z).reshape(z.numel(), z.numel())
    width = shape[-1] if len(shape) > 1 and (task != "regress" or len(shape) > 1) else 1
    blocks = hessian.view(z.numel() // width, width, z.numel() // width, width)
    wanted = torch.stack([blocks[n, :, n] for n in range(len(blocks))])
    outer = lambda found: torch.einsum("nc,nd->ncd", found.reshape(-1, width), found.reshape(-1, width))
    exact = sum(outer(column) for column in gradients(z, batch, task, "exact", (0,), -100))
    assert torch.allclose(exact, wanted, atol=1e-12)
    sampled = sum(outer(next(gradients(z, batch, task, "sampled", (0, seed), -100))) for seed in range(1500)) / 1500
    assert torch.allclose(sampled, wanted, atol=0.3 if task == "regress" else 0.06)


def test_positions_that_do_not_count_have_no_curvature():
    z = torch.randn(5, 3, generator=draw())
    batch = Batch(None, torch.tensor([0, -100, 1, 2, -100]), torch.arange(5))
    for fisher in ("sampled", "exact"):
        for found in gradients(z, batch, "classify", fisher, (0,), -100):
            assert not found[[1, 4]].any() and found[[0, 2, 3]].any()


def moments(layer: nn.Module, x: torch.Tensor, g: torch.Tensor):
    unit = Unit("one", layer)
    back = unit.outputs(g)
    return unit.second_moment(x)[0], back.T @ back


def test_a_convolution_over_the_whole_image_is_a_linear_layer():
    conv, linear = nn.Conv2d(2, 5, 3).double(), nn.Linear(18, 5).double()
    x, g = torch.randn(7, 2, 3, 3, generator=draw()).double(), torch.randn(7, 5, 1, 1, generator=draw(1)).double()
    rows = x.permute(0, 2, 3, 1).flatten(1)
    for mine, other in zip(moments(conv, x, g), moments(linear, rows, g.flatten(1))):
        assert torch.allclose(mine, other)


@pytest.mark.parametrize("how", [{"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": (2, 1), "padding": (0, 2)}])
def test_patches_are_what_the_convolution_multiplies(how):
    conv = nn.Conv2d(2, 5, 3, **how).double()
    x = torch.randn(4, 2, 8, 8, generator=draw()).double()
    unit = Unit("one", conv)
    for form in (torch.contiguous_format, torch.channels_last):
        seen = unit.inputs(x.contiguous(memory_format=form))
        assert torch.allclose(seen @ unit.weights()[:, :-1].T + unit.weights()[:, -1], unit.outputs(conv(x)))


@pytest.mark.parametrize("width", [5, 96, 97, 300])
@pytest.mark.parametrize("bias", [False, True])
def test_a_moment_by_blocks_is_the_moment(width, bias):
    x = torch.randn(50, 3, width, generator=draw()).double()
    found, vectors = Unit("one", nn.Linear(width, 2, bias=bias)).second_moment(x)
    rows = torch.cat([x, torch.ones(50, 3, int(bias)).double()], 2).flatten(0, 1)
    assert torch.allclose(found, rows.T @ rows, atol=1e-12) and torch.equal(found, found.T) and vectors == 150


def test_a_moment_of_images_is_that_of_all_rows_together():
    conv, x = nn.Conv2d(16, 5, 3, padding=1).double(), torch.randn(9, 16, 40, 40, generator=draw()).double()
    unit = Unit("one", conv)
    assert len(unit._parts(x)) > 2
    rows = torch.cat([unit.inputs(x), torch.ones(9 * 1600, 1).double()], 1)
    found, vectors = unit.second_moment(x)
    assert torch.allclose(found, rows.T @ rows) and vectors == len(rows)


def test_a_singular_factor_has_an_inverse_and_one_that_is_not_finite_none():
    for dtype in (torch.float32, torch.float64):
        one = torch.ones(400, 400, dtype=dtype)
        found = inverses({"A": one, "G": torch.zeros(3, 3, dtype=dtype)}, torch.tensor(1e-30, dtype=torch.float64))
        assert all(value.isfinite().all() and value.dtype == dtype for value in found.values())
    spoiled = inverses({"A": one * torch.inf, "G": torch.eye(3).double()}, 0.1)
    assert spoiled["A"].isnan().all()


def test_an_embedding_is_a_linear_layer_on_one_hot_rows():
    tokens, g = torch.randint(0, 6, (9, 2), generator=draw()), torch.randn(9, 2, 4, generator=draw(1))
    a, b = moments(nn.Embedding(6, 4), tokens, g), moments(nn.Linear(6, 4, bias=False), F.one_hot(tokens, 6).float(), g)
    assert torch.equal(torch.diag(a[0]), b[0]) and torch.allclose(a[1], b[1])


def test_layers_that_are_not_known_are_named():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.tied = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)
            self.tied.weight = self.embed.weight
            self.plain, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)
            self.grouped, self.frozen = nn.Conv2d(4, 4, 1, groups=2), nn.Linear(4, 4)
            self.frozen.bias.requires_grad_(False)
            self.attention = nn.MultiheadAttention(4, 2)

    known, left = units(Net())
    assert [unit.name for unit in known] == ["plain"]
    assert left == ["embed", "tied", "grouped", "frozen", "attention", "attention.out_proj"]


def test_gradients_go_back_where_they_came_from():
    for layer, x in [
        (nn.Linear(3, 2), torch.ones(1, 3)),
        (nn.Conv2d(1, 2, 2), torch.ones(1, 1, 2, 2)),
        (nn.Embedding(3, 2), torch.ones(1).long()),
    ]:
        layer(x).sum().backward()
        unit = Unit("one", layer)
        before = [p.grad.clone() for p in layer.parameters()]
        unit.set_gradient(unit.gradient() * 2)
        assert all(torch.equal(p.grad, 2 * old) for p, old in zip(layer.parameters(), before))
