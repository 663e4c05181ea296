"""Lion against the paper's algorithm 2, written out in NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

from danlu.optim import foreach
from danlu.optim.lion import Lion

torch.set_num_threads(1)


def lion(x, gradient, steps, lr, beta1, beta2, decay):
    m = np.zeros_like(x)
    for _ in range(steps):
        g = gradient(x)
        c = beta1 * m + (1 - beta1) * g
        x = x - lr * (np.sign(c) + decay * x)
        m = beta2 * m + (1 - beta2) * g
    return x


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_twenty_steps_of_the_paper(decay):
    start, curve = np.cos(np.arange(12.0)).reshape(3, 4), np.linspace(0.5, 3, 12).reshape(3, 4)
    p = nn.Parameter(torch.tensor(start))
    optimizer = Lion(lr=0.03, beta1=0.8, beta2=0.95, weight_decay=decay)([("x", p)])
    for _ in range(20):
        p.grad = torch.tensor(curve) * p.detach()
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), lion(start, lambda x: curve * x, 20, 0.03, 0.8, 0.95, decay), rtol=1e-12)


def test_groups_have_their_own_rate_and_decay():
    a, b, untouched = (nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(3))
    optimizer = Lion(lr=0.2, weight_decay=0.0)([{"params": [a, untouched], "lr": 0.1}, {"params": [b], "weight_decay": 0.5}])
    a.grad = b.grad = torch.tensor([3.0, -3.0], dtype=torch.float64)
    optimizer.step()
    torch.testing.assert_close(a.detach(), torch.tensor([0.9, 1.1], dtype=torch.float64))
    torch.testing.assert_close(b.detach(), torch.tensor([0.7, 1.1], dtype=torch.float64))
    assert torch.equal(untouched, torch.ones(2, dtype=torch.float64)) and untouched not in optimizer.state


def test_a_zero_gradient_moves_nothing_but_the_decay():
    p = nn.Parameter(torch.ones(3))
    p.grad = torch.zeros(3)
    Lion(lr=0.1, weight_decay=0.0)([p]).step()
    assert torch.equal(p, torch.ones(3))


def test_closure():
    p = nn.Parameter(torch.tensor([2.0]))
    optimizer = Lion(lr=0.5, weight_decay=0.0)([p])

    def closure():
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4.0 and p.item() == 1.5


def test_blocks_are_the_same_bits(monkeypatch):
    """Large tensors are cut, small ones are gathered, and what does not lie in one piece is left whole."""

    def end():
        draw = torch.Generator().manual_seed(0)
        ps = [nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((9, 5), (2,), (3,), (2, 3), (0,), ())]
        ps.append(nn.Parameter(torch.randn(4, 6, generator=draw).T))
        optimizer = Lion(lr=0.1)(ps)
        for _ in range(4):
            for p in ps:
                p.grad = torch.randn(p.shape, generator=draw)
            optimizer.step()
        return ps

    whole = end()
    monkeypatch.setattr(foreach, "BLOCK", 7)
    assert all(torch.equal(a, b) for a, b in zip(whole, end(), strict=True))
    sizes = [[x.numel() for x in part[0]] for part in foreach.blocks(whole)]
    assert sizes == [[7], [7], [7], [7], [7], [7], [3], [2, 3, 6], [0, 1, 24]]
