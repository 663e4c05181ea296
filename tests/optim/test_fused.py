"""Fused kernels are taken where they are right: torch's plain loop is the judge."""

import pytest
import torch
from torch import nn

from danlu.errors import BadInput
from danlu.optim.first_order import SGD, Adam, AdamW
from danlu.optim.fused import fits

torch.set_num_threads(1)
PLAIN = [
    (SGD(momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, foreach=False)),
    (SGD(momentum=0.0), lambda p: torch.optim.SGD(p, lr=0.1, foreach=False)),
    (Adam(lr=0.01), lambda p: torch.optim.Adam(p, lr=0.01, foreach=False)),
    (AdamW(lr=0.01), lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.01, foreach=False)),
]
LAYOUTS = {
    "contiguous": lambda x: x,
    "channels_last": lambda x: x.to(memory_format=torch.channels_last),
    "transposed": lambda x: x.transpose(0, 1).contiguous().transpose(0, 1),
}


def end(make, weight, grads):
    p = nn.Parameter(weight.clone(memory_format=torch.preserve_format))
    optimizer = make([p])
    for grad in grads:
        p.grad = grad.clone(memory_format=torch.preserve_format)
        optimizer.step()
    return p.detach().double()


@pytest.mark.parametrize("description,plain", PLAIN)
@pytest.mark.parametrize("of_weight", LAYOUTS)
@pytest.mark.parametrize("of_grad", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_any_layout_and_dtype_moves_as_the_plain_loop_does(description, plain, of_weight, of_grad, dtype):
    draw = torch.Generator().manual_seed(0)
    weight, *grads = torch.rand(4, 8, 6, 3, 3, generator=draw, dtype=torch.float64).add(0.5).to(dtype)
    weight, grads = LAYOUTS[of_weight](weight), [LAYOUTS[of_grad](grad) for grad in grads]
    tolerance = 16 * torch.finfo(dtype).eps
    torch.testing.assert_close(end(description, weight, grads), end(plain, weight, grads), rtol=tolerance, atol=tolerance)


def test_auto_is_fused_where_it_can_be():
    assert AdamW()([nn.Parameter(torch.ones(3))]).defaults["fused"] is True
    assert AdamW(fused="off")([nn.Parameter(torch.ones(3))]).defaults["foreach"] is True
    assert not fits(torch.optim.RMSprop, torch.ones(3), lr=0.1)  # has no fused kernels at all
    assert not fits(torch.optim.AdamW, torch.ones(4, 6)[:, ::2], lr=0.1)  # a view with holes: fused kernels would walk through them


def test_on_is_refused_where_fused_is_missing():
    holes = nn.Parameter(torch.ones(4, 6)[:, ::2])
    with pytest.raises(BadInput, match=r"`body.weight` \(float32 on cpu\)"):
        AdamW(fused="on")([("head", nn.Parameter(torch.ones(3))), ("body.weight", holes)])
    assert AdamW()([("body.weight", holes)]).defaults["foreach"] is True


@pytest.mark.parametrize("description,plain", [pair for pair in PLAIN if pair[0] != SGD(momentum=0.0)])
def test_state_that_comes_back_contiguous(description, plain):
    def ends(make):
        p = nn.Parameter(LAYOUTS["channels_last"](torch.linspace(1, 2, 8 * 6 * 9).view(8, 6, 3, 3)))
        optimizer = make([p])
        for k in range(4):
            p.grad = torch.sin(p.detach() * 7 + k)
            optimizer.step()
            saved = optimizer.state_dict()
            saved["state"] = {0: {key: value.contiguous() for key, value in saved["state"][0].items()}}
            optimizer.load_state_dict(saved)
        return p.detach()

    torch.testing.assert_close(ends(description), ends(plain))


@pytest.mark.parametrize("fused", ["on", "off"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_first_gradient_that_comes_late(fused, momentum):
    """torch's fused SGD alone raises a TypeError."""
    early, late = (nn.Parameter(torch.ones(3)) for _ in range(2))
    optimizer = SGD(lr=0.1, momentum=momentum, fused=fused)([("early", early), ("late", late)])
    for step in range(3):
        early.grad, late.grad = torch.ones(3), torch.ones(3) if step else None
        optimizer.step()
    steps = [1.0, 1.0 + momentum, 1.0 + momentum + momentum**2]
    torch.testing.assert_close(early.detach(), torch.full((3,), 1 - 0.1 * sum(steps)))
    torch.testing.assert_close(late.detach(), torch.full((3,), 1 - 0.1 * sum(steps[:2])))
