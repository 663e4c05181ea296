"""Dropout: its rate, and masks that depend on the sample and the step only."""

import copy

import pytest
import torch
from torch import nn

from danlu.errors import BadInput
from danlu.keys import Keyed, unkeyed
from danlu.nets.dropout import Dropout, DropPath, SpatialDropout, depth_rates, named

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def restored():
    before = Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls
    yield
    Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls = before


def look(ids, step=0, seed=0):
    Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls = seed, step, ids, {}


def net(p=0.3):
    return named(nn.Sequential(Dropout(p), nn.Sequential(SpatialDropout(p), DropPath(p))))


KINDS = [Dropout, SpatialDropout, DropPath]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("keyed", [True, False])
def test_rate_and_scale(kind, p, keyed):
    x = torch.ones(20000, 4, 5)
    look(torch.arange(len(x)) if keyed else None)
    torch.manual_seed(0)
    y = kind(p)(x)
    assert y.unique().tolist() == pytest.approx([0, 1 / (1 - p)])
    units = {Dropout: 20, SpatialDropout: 4, DropPath: 1}[kind] * len(x)  # independent draws
    assert abs((y == 0).float().mean().item() - p) < 5 * (p * (1 - p) / units) ** 0.5


def test_units_are_independent():
    """Each unit over samples, and each sample over units, has the rate; neighbours are uncorrelated (5 sigma)."""
    look(torch.arange(4000))
    dropped = (Dropout(0.25)(torch.ones(4000, 300)) == 0).float()
    for dim in (0, 1):
        spread = (0.25 * 0.75 / dropped.shape[dim]) ** 0.5
        assert (dropped.mean(dim) - 0.25).abs().max() < 5.5 * spread
    centred = (dropped - 0.25) / (0.25 * 0.75) ** 0.5
    for pair in (centred[1:] * centred[:-1], centred[:, 1:] * centred[:, :-1]):
        assert pair.mean().abs() < 5 / pair.numel() ** 0.5


def test_what_each_kind_drops_together():
    look(torch.arange(64))
    x = torch.ones(64, 8, 3, 3)
    spatial = SpatialDropout(0.5)(x)
    assert (spatial == spatial[:, :, :1, :1]).all() and spatial[:, :, 0, 0].unique().numel() == 2
    path = DropPath(0.5)(x)
    assert (path == path[:, :1, :1, :1]).all() and path[:, 0, 0, 0].unique().numel() == 2


@pytest.mark.parametrize("parts", [2, 4, 16])
def test_the_split_does_not_matter(parts):
    model, x, ids = net(), torch.randn(64, 6, 7), torch.randperm(1000)[:64]
    look(ids, step=3)
    whole = model(x)
    pieces = []
    for rows in torch.arange(64).chunk(parts):
        look(ids[rows], step=3)
        pieces.append(model(x[rows]))
    assert torch.equal(whole, torch.cat(pieces))


def test_every_step_module_call_and_seed_differs_and_repeats():
    model, x, ids = nn.ModuleDict({"a": Dropout(0.5), "b": Dropout(0.5)}), torch.ones(8, 64), torch.arange(8)
    named(model)

    def masks(step=0, seed=0):
        look(ids, step, seed)
        return [model["a"](x), model["b"](x), model["a"](x)]

    seen = [*masks(), *masks(step=1), *masks(seed=1)]
    assert all(not torch.equal(one, other) for i, one in enumerate(seen) for other in seen[:i])
    assert all(torch.equal(one, again) for one, again in zip(seen[:3], masks()))


def test_paths_survive_wrapping_and_copies():
    model, x = net(), torch.ones(16, 4, 4)
    look(torch.arange(16))
    expected = model(x)
    for wrapped in (nn.Sequential(model), copy.deepcopy(model)):
        look(torch.arange(16))
        assert torch.equal(wrapped(x), expected)
    assert [m.path for m in model.modules() if isinstance(m, Dropout)] == ["0", "1.0", "1.1"]


def test_identity_in_eval_and_at_zero():
    x = torch.randn(4, 4, 4)
    look(torch.arange(4))
    assert all(kind(0.5).eval()(x) is x and kind(0.0)(x) is x for kind in KINDS)
    assert not Keyed.calls


def test_outside_a_step_it_is_torchs_dropout():
    x = torch.randn(32, 10)
    look(torch.arange(32))
    with unkeyed():
        torch.manual_seed(0)
        ours = Dropout(0.4)(x)
    torch.manual_seed(0)
    assert torch.allclose(ours, nn.functional.dropout(x, 0.4))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_the_type_stays_and_gradients_have_the_mask(dtype):
    look(torch.arange(32))
    x = torch.ones(32, 10, dtype=dtype, requires_grad=True)
    y = Dropout(0.5)(x)
    y.sum().backward()
    assert y.dtype == dtype and torch.equal(x.grad, y)


def test_the_rate_can_be_scheduled():
    dropout = Dropout(0.5)
    dropout.p = 0.0
    assert dropout(x := torch.ones(3, 3)) is x


@pytest.mark.parametrize("p", [-0.1, 1.0, float("nan")])
def test_bad_rates(p):
    with pytest.raises(BadInput):
        Dropout(p)


def test_depth_rates():
    assert depth_rates(0.2, 5) == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
    assert depth_rates(0.2, 1) == [pytest.approx(0.2)] and depth_rates(0.2, 0) == []
