"""Shampoo and SOAP by what is known of them in closed form."""

import pytest
import torch
from torch import nn

from danlu.optim.shampoo import Shampoo, inverse_root
from danlu.optim.soap import SOAP, eigenbasis, gather, multiplies_bfloat16


def rotation(size, seed):
    return torch.linalg.qr(torch.randn(size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)))[0]


def descend(description, start, gradient, steps=8):
    p = nn.Parameter(start.clone())
    optimizer = description([("p", p)])
    for step in range(steps):
        p.grad = gradient(p.detach(), step)
        optimizer.step()
    return p.detach()


@pytest.mark.parametrize(
    "description", [Shampoo(lr=0.05, graft="none", every=2, weight_decay=0.0), SOAP(lr=0.05, every=2, weight_decay=0.0)]
)
def test_they_do_not_care_how_a_problem_is_turned(description):
    """On f(U W V) they go the turned way, step for step; Adam does not."""
    u, v = rotation(4, 0), rotation(4, 1)
    curve = torch.linspace(0.5, 3, 16, dtype=torch.float64).view(4, 4)
    start, *noise = torch.randn(9, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    plain = lambda w, step: curve * (w - 1) + noise[step]
    turned = lambda w, step: u.T @ plain(u @ w @ v, step) @ v.T
    there = descend(description, u.T @ start @ v.T, turned)
    torch.testing.assert_close(
        u @ there @ v, descend(description, start, plain), rtol=0, atol=1e-5 if isinstance(description, SOAP) else 1e-9
    )


def test_shampoos_first_update_is_the_orthogonal_factor():
    """(G G^T)^(-1/4) G (G^T G)^(-1/4) = U V^T."""
    grad = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    u, _, vh = torch.linalg.svd(grad, full_matrices=False)
    moved = descend(
        Shampoo(lr=1.0, graft="none", momentum=0.0, beta2=1.0, weight_decay=0.0), torch.zeros_like(grad), lambda w, step: grad, 1
    )
    torch.testing.assert_close(-moved, u @ vh, rtol=0, atol=1e-6)


def test_grafted_steps_are_as_long_as_rmsprops():
    grads = [torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    p, squares = nn.Parameter(torch.zeros(6, 4, dtype=torch.float64)), torch.zeros(6, 4, dtype=torch.float64)
    optimizer = Shampoo(lr=0.1, momentum=0.0, beta2=0.9, weight_decay=0.0)([("p", p)])
    for step, grad in enumerate(grads, 1):
        before, p.grad = p.detach().clone(), grad
        optimizer.step()
        squares = 0.9 * squares + 0.1 * grad**2
        wanted = 0.1 * (grad / ((squares / (1 - 0.9**step)).sqrt() + 1e-8)).norm()
        assert float((p.detach() - before).norm()) == pytest.approx(float(wanted), rel=1e-9)


def test_a_vector_in_shampoo_is_full_matrix_adagrad():
    grads = [torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) for seed in range(5)]
    p = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = Shampoo(lr=0.1, momentum=0.0, beta2=1.0, eps=0.1, every=1, graft="none", weight_decay=0.0)([("p", p)])
    wanted, total = torch.zeros(3, dtype=torch.float64), 0.1 * torch.eye(3, dtype=torch.float64)
    for grad in grads:
        p.grad = grad
        optimizer.step()
        total = total + torch.outer(grad, grad)
        values, vectors = torch.linalg.eigh(total)
        wanted -= 0.1 * vectors @ torch.diag(values**-0.5) @ vectors.T @ grad
    torch.testing.assert_close(p.detach(), wanted, rtol=0, atol=1e-9)


def test_an_inverse_root():
    base = rotation(5, 3) @ torch.diag(torch.tensor([0.1, 0.5, 1.0, 2.0, 5.0], dtype=torch.float64)) @ rotation(5, 3).T
    root = inverse_root(base, 4)
    torch.testing.assert_close(torch.linalg.matrix_power(root, 4) @ base, torch.eye(5, dtype=torch.float64))


@pytest.mark.parametrize("kind", [Shampoo, SOAP])
def test_a_kernel_is_a_matrix_and_a_long_side_keeps_its_basis(kind):
    start = torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0))
    grads = [torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    ends = {}
    for shape in ((6, 2, 3), (6, 6)):
        p = nn.Parameter(start.view(shape).clone())
        optimizer = kind()([("p", p)])
        for grad in grads:
            p.grad = grad.view(shape)
            optimizer.step()
        ends[shape] = p.detach().view(6, 6)
    assert torch.equal(ends[6, 2, 3], ends[6, 6])
    p = nn.Parameter(torch.randn(8, 3))
    p.grad = torch.randn(8, 3)
    optimizer = kind(max_side=4)([("p", p)])
    optimizer.step()
    assert "left" not in optimizer.state[p] and optimizer.state[p]["right"].shape == (3, 3)


def test_the_basis_of_nothing_is_no_noise():
    """A covariance of rank one: the directions that no gradient has reached are told apart by their place, not by rounding."""
    g = torch.randn(6, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    noise = 1e-15 * torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    one, other = eigenbasis(g @ g.T), eigenbasis(g @ g.T + noise + noise.T)
    assert float((one.T @ other).abs().sub(torch.eye(6)).abs().max()) < 1e-6


def moved(description, shape=(24, 16), steps=25):
    p = nn.Parameter(torch.zeros(shape))
    optimizer = description([("p", p)])
    draw = torch.Generator().manual_seed(0)
    for _ in range(steps):
        p.grad = torch.logspace(-3, 0, shape[0])[:, None] * torch.randn(shape, generator=draw)  # sizes as far apart as gradients have
        optimizer.step()
    return p.detach(), optimizer.state[p]


@pytest.mark.skipif(not multiplies_bfloat16(torch.device("cpu")), reason="float32 products are the fast ones on this processor")
def test_updates_turned_back_in_bfloat16_are_within_a_percent():
    (low, _), (full, _) = moved(SOAP(every=3)), moved(SOAP(every=3, bfloat16="off"))
    assert 0 < float((low - full).norm() / full.norm()) < 0.01
    assert float(((low - full).norm(dim=1) / full.norm(dim=1)).max()) < 0.01  # those of the small gradients too


def test_only_the_shorter_side_is_turned():
    one, state = moved(SOAP(every=3, sides="shorter"))
    assert "left" not in state and state["right_basis"].shape == (16, 16)
    torch.testing.assert_close(one, moved(SOAP(every=3, max_side=16))[0], rtol=0, atol=0)
    assert "right" not in moved(SOAP(sides="shorter"), (16, 16))[1]


@pytest.mark.parametrize("n,m", [(1, 3), (5, 2), (130, 40), (193, 7)])
def test_a_covariance_gathered_by_blocks_is_the_whole_one(n, m):
    draw = torch.Generator().manual_seed(0)
    x, start = torch.randn(n, m, dtype=torch.float64, generator=draw), torch.randn(n, n, dtype=torch.float64, generator=draw)
    start = start + start.T
    for wide in (x, x.T.contiguous().T):
        total = start.clone()
        gather(total, wide, 0.9, 0.1)
        torch.testing.assert_close(total, 0.9 * start + 0.1 * x @ x.T)
