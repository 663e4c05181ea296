"""Against exact Hessians (torch.func) of small models, and quadratics in closed form."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from toys import apart, batch_normed, normed, tokens, trained
from toys import recipe as toy

from danlu.core import Run
from danlu.curvature.hessian import Hessian, of_run, top, trace
from danlu.curvature.surface import filter_normalised, sharpness, surface
from danlu.data.source import Data, Facts, Tensors
from danlu.nets.cnn import CNN
from danlu.nets.dropout import Dropout
from danlu.nets.gpt import GPT


def quadratic(eigenvalues, at=None) -> tuple[Hessian, torch.Tensor]:
    """w . A w / 2 with these eigenvalues, in two parts, as a Hessian by two parameters; and A."""
    size = len(eigenvalues)
    q = torch.linalg.qr(torch.randn(size, size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).Q
    a = q @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ q.T
    w = torch.zeros(size, dtype=torch.float64) if at is None else at
    left, right = (part.clone().requires_grad_() for part in w.split([size // 2, size - size // 2]))

    def loss():
        v = torch.cat([left, right])
        yield 0.2 * v @ a @ v
        yield 0.3 * v @ a @ v

    return Hessian(loss, {"left": left, "right": right}), a


def exact(run: Run, rows: int) -> torch.Tensor:
    """The Hessian of the mean cross-entropy over the first rows, written out."""
    x, y = run.data.train.fetch(torch.arange(rows), 0)
    x = run.placement.put(x)
    names = [name for name, _ in run.model.named_parameters()]
    shapes = [p.shape for p in run.model.parameters()]
    flat = torch.cat([p.detach().reshape(-1) for p in run.model.parameters()])

    def loss(vector: torch.Tensor) -> torch.Tensor:
        pieces = dict(zip(names, (part.view(s) for part, s in zip(vector.split([s.numel() for s in shapes]), shapes))))
        output = torch.func.functional_call(run.model, pieces, (x,))
        return F.cross_entropy(output.flatten(0, -2), y.flatten())

    run.model.eval()
    found = torch.func.hessian(loss)(flat)
    run.model.train()
    return found


def dropping() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), Dropout(0.4), nn.Linear(8, 3))


@pytest.mark.slow  # torch.func takes seconds to import
@pytest.mark.parametrize(
    ("model", "data"), [(batch_normed, None), (dropping, lambda: tokens(40))], ids=["batch norm", "dropout and ignored labels"]
)
def test_products_eigenvalues_and_trace_of_a_trained_net_are_those_of_its_exact_hessian(model, data):
    run = trained(model=model, **({"data": data, "loss": "auto"} if data else {}))
    whole = exact(run, 40)
    values = torch.linalg.eigvalsh(whole)
    with of_run(run, run.data.train, 40) as hessian:
        v = hessian.draw(0, "v")
        assert torch.allclose(hessian @ v, whole @ v, rtol=1e-9, atol=1e-12)
        found = top(hessian, 4, steps=hessian.size)
        assert found.values == pytest.approx(values[-4:].flip(0).tolist(), rel=2e-3) and found.lowest == pytest.approx(
            float(values[0]), rel=0.1
        )
        assert all(abs(one - float(true)) <= error + 1e-12 for one, true, error in zip(found.values, values.flip(0), found.errors))
        for value, vector in zip(found.values, found.vectors):
            assert float(vector.norm()) == pytest.approx(1) and float((whole @ vector - value * vector).norm()) < 0.01 * found.values[0]
        told = trace(hessian, 60)
        assert abs(told.mean - float(whole.trace())) < 4 * told.error < told.mean
        assert sum(told.blocks.values()) == pytest.approx(told.mean)
        sizes = [p.numel() for p in hessian.parameters.values()]
        own = [float(block.sum()) for block in whole.diagonal().split(sizes)]
        assert list(told.blocks.values()) == pytest.approx(own, abs=5 * told.error)


def test_the_estimates_of_a_known_spectrum():
    hessian, a = quadratic([9.0, 5.0, 5.0, 1.0, 0.5, 0.0, -2.0, -3.0])
    found = top(hessian, 3, steps=8)
    assert found.values == pytest.approx([9, 5, 1]) and found.lowest == pytest.approx(-3)  # one that is there twice is found once
    assert sum(found.weights) == pytest.approx(1) and sum(w * n for w, n in zip(found.weights, found.nodes)) < 9
    told = trace(hessian, 500)
    assert abs(told.mean - 15.5) < 4 * told.error
    spread = 2 * float((a - a.diagonal().diag()).square().sum())  # the variance of Hutchinson's estimate with random signs
    assert torch.tensor(told.draws).var().item() == pytest.approx(spread, rel=0.25)
    left = hessian.parameters["left"]
    assert trace(Hessian(lambda: left.square().sum(), {"left": left}), 1).mean == 8  # of a multiple of one, every vector says it exactly


def test_a_linear_loss_has_no_curvature():
    w = torch.ones(3, requires_grad=True)
    unused = torch.ones(2, requires_grad=True)
    hessian = Hessian(lambda: 2 * w.sum(), {"w": w, "unused": unused})
    assert not (hessian @ torch.ones(5)).any() and hessian.gradient().tolist() == [2, 2, 2, 0, 0]
    assert top(hessian, 2).values[0] == 0


@pytest.mark.parametrize("lowest", [0.1, -20.0])
def test_the_worst_rise_of_a_quadratic_is_that_of_its_top_eigenvector(lowest):
    hessian, _ = quadratic([8.0, 3.0, 1.0, lowest])
    found = sharpness(hessian, 0.5, [hessian.draw(3, "start")], steps=60)
    assert found.worst == pytest.approx(0.5 * 8 * 0.5**2, rel=1e-4) and found.loss == 0
    mean = 0.5 * 0.5**2 * (12 + lowest) / 4  # over all directions: the mean eigenvalue
    many = sharpness(hessian, 0.5, steps=1, draws=600)
    assert many.mean == pytest.approx(mean, abs=0.1 * 8 * 0.125)


def test_off_the_minimum_the_worst_rise_solves_the_trust_region():
    at = torch.tensor([0.3, -0.2, 0.5, 0.1], dtype=torch.float64)
    hessian, a = quadratic([8.0, 3.0, 1.0, 0.1], at)
    g = a @ at
    low, high = 8.0 + 1e-9, 1e3
    for _ in range(200):  # |(m - A)^-1 g| = radius has its solution above the largest eigenvalue (Moré and Sorensen 1983)
        m = (low + high) / 2
        step = torch.linalg.solve(m * torch.eye(4, dtype=torch.float64) - a, g)
        low, high = (m, high) if float(step.norm()) > 0.5 else (low, m)
    found = sharpness(hessian, 0.5, steps=60)
    assert found.worst == pytest.approx(float(g @ step + 0.5 * step @ a @ step), rel=1e-4)
    along = g / g.norm() * 0.5
    assert found.ahead == pytest.approx(float(g @ along + 0.5 * along @ a @ along)) and found.mean < found.ahead <= found.worst


def test_a_surface_is_the_loss_itself_at_every_point():
    hessian, a = quadratic([4.0, 2.0, 1.0])
    one, two = hessian.draw(0, "a"), hessian.draw(0, "b")
    found = surface(hessian, (one, two), 2.0, 5)
    for row, y in enumerate(found.places):
        for column, x in enumerate(found.places):
            v = x * one + y * two
            assert found.losses[row, column] == pytest.approx(float(0.5 * v @ a @ v))
    assert found.places.tolist() == [-2, -1, 0, 1, 2] and found.losses[2, 2] == 0
    assert all(not p.any() for p in hessian.parameters.values())


def test_filters_are_as_long_as_the_weights_and_rescaling_a_layer_changes_nothing():
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)).double()
    hessian = Hessian(lambda: net(torch.ones(1, 2, 4, 4, dtype=torch.float64)).square().sum(), dict(net.named_parameters()))
    first = filter_normalised(hessian, 0, "a")
    for p, d in zip(net.parameters(), hessian.split(first)):
        if p.dim() == 1:
            assert not d.any()
        else:
            assert torch.allclose(d.flatten(1).norm(dim=1), p.flatten(1).norm(dim=1))
    with torch.no_grad():
        net[0].weight[:] *= 100
        net[0].bias[:] *= 100
        net[3].weight[:] /= 100
    again = filter_normalised(hessian, 0, "a")
    with hessian.moved(again):
        rescaled = hessian.loss()
    with torch.no_grad():
        net[0].weight[:] /= 100
        net[0].bias[:] /= 100
        net[3].weight[:] *= 100
    with hessian.moved(first):
        assert hessian.loss() == pytest.approx(rescaled)


def test_the_run_is_left_bit_for_bit_as_it_was():
    run, other = Run(toy(model=batch_normed)), Run(toy(model=batch_normed))
    next(iter(run)), next(iter(other))
    with of_run(run, run.data.train, 16) as hessian:
        top(hessian, 2, 5), trace(hessian, 2), sharpness(hessian, 0.1, steps=1, draws=1)
        surface(hessian, (filter_normalised(hessian, 0), filter_normalised(hessian, 1)), 1, 2)
    assert [float(r.loss) for r in run] == [float(r.loss) for r in other] and apart(run, other) == 0


@pytest.mark.parametrize(
    "model", [normed, GPT(width=8, depth=1, heads=2), CNN(widths=(4, 8))], ids=["layer norm", "attention", "convolutions"]
)
def test_products_are_differences_of_gradients(model):
    """Of layers whose torch.func.hessian is wrong (LayerNorm's is not symmetric in torch 2.13), or is not there."""
    fields = {"data": _text if isinstance(model, GPT) else _images, "loss": "auto"} if model is not normed else {}
    with Run(toy(model=model, **fields)) as run, of_run(run, run.data.train, 4) as hessian:
        v = hessian.draw(0, "v")
        with hessian.moved(1e-6 * v):
            above = hessian.gradient()
        with hessian.moved(-1e-6 * v):
            below = hessian.gradient()
        product = hessian @ v
        assert torch.allclose(product, (above - below) / 2e-6, atol=1e-6 * float(product.abs().max()))


def _images() -> Data:
    x = torch.randn(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return Data(Tensors(x, torch.arange(40) % 3), Facts("classify", (1, 8, 8), 3, rows=40))


def _text() -> Data:
    ids = torch.randint(0, 7, (40, 6), generator=torch.Generator().manual_seed(0))
    return Data(Tensors(ids[:, :-1].contiguous(), ids[:, 1:].contiguous()), Facts("language", (5,), 7, vocab=7, rows=40))
