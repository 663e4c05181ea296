"""Every optimiser against an independent one: other people's, recorded by `record_references.py`, or its formula written out in NumPy."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from danlu.find import catalogue, find
from danlu.optim import soap

from .trajectory import STEPS, gradient, start

torch.set_num_threads(1)
RECORDED = json.loads(Path(__file__).with_name("references.json").read_text())["cases"]


def descend(name, settings):
    """Where danlu's optimiser ends, at the weights that it wants to be judged by."""
    point = {key: nn.Parameter(torch.tensor(value)) for key, value in start(np).items()}
    optimizer = find("optimizer", name).load()(**settings)(list(point.items()))
    for step in range(STEPS):
        for key, value in gradient(np, {key: p.detach().numpy() for key, p in point.items()}, step).items():
            point[key].grad = torch.tensor(value)
        optimizer.step()
    return {key: optimizer.state[p].get("x", p).detach().numpy() for key, p in point.items()}


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['optimizer']}-{case['by']}")
def test_recorded(case, monkeypatch):
    monkeypatch.setattr(soap, "ridge", lambda matrix: 0.0)  # theirs leaves the basis of what was not yet seen to rounding
    end = descend(case["optimizer"], case["settings"])
    if case["optimizer"] == "muon":  # torch iterates in bfloat16, optax in float64; its Adam for vectors is Nesterov's
        moved = np.abs(np.array(case["end"]["w"]) - start(np)["w"]).max()
        assert np.abs(end["w"] - np.array(case["end"]["w"])).max() < 0.05 * moved
        return
    tolerance = 2e-6 if case["optimizer"] == "soap" else 1e-12  # theirs orthogonalises in float32
    for key, value in case["end"].items():
        np.testing.assert_allclose(end[key], value, rtol=0, atol=tolerance)


def nadam(settings):
    """Dozat 2016, algorithm 2, with the schedule 0.9 -> 0.99 of section 3.6 in torch's form."""
    x, lr, beta1, beta2, eps, psi, decay = (
        start(np),
        *(settings[k] for k in ("lr", "beta1", "beta2", "eps", "momentum_decay", "weight_decay")),
    )
    m, v, product = dict.fromkeys(x, 0.0), dict.fromkeys(x, 0.0), 1.0
    for t in range(1, STEPS + 1):
        mu, later = (beta1 * (1 - 0.5 * 0.96 ** (s * psi)) for s in (t, t + 1))
        product *= mu
        for k, g in gradient(np, x, t - 1).items():
            m[k], v[k] = beta1 * m[k] + (1 - beta1) * g, beta2 * v[k] + (1 - beta2) * g**2
            mean = later * m[k] / (1 - product * later) + (1 - mu) * g / (1 - product)
            x[k] = x[k] * (1 - lr * decay)
            x[k] = x[k] - lr * mean / (np.sqrt(v[k] / (1 - beta2**t)) + eps)
    return x


def adafactor(settings):
    """Shazeer & Stern 2018, algorithms 4 and 5."""
    x, lr, power, eps, clip, decay = start(np), *(settings[k] for k in ("lr", "beta2_decay", "eps", "clip", "weight_decay"))
    rows, columns, squares = 0.0, 0.0, 0.0
    size = lambda a: np.sqrt(np.mean(a**2))
    for t in range(1, STEPS + 1):
        beta, rate = 1 - t**power, min(lr, 1 / np.sqrt(t))
        for k, g in gradient(np, x, t - 1).items():
            step = max(eps, size(x[k])) * rate
            if k == "w":
                rows = beta * rows + (1 - beta) * (g**2).sum(1, keepdims=True)
                columns = beta * columns + (1 - beta) * (g**2).sum(0, keepdims=True)
                v = rows * columns / rows.sum()
            else:
                v = squares = beta * squares + (1 - beta) * g**2
            u = g / np.sqrt(v)
            x[k] = x[k] * (1 - lr * decay) - step * u / max(1.0, size(u) / clip)
    return x


def hypergradient(settings):
    """Baydin et al. 2018, algorithms 4 (SGD), 5 (with momentum's direction) and 6 (Adam)."""
    x, rate = start(np), settings["lr"]
    m, v, d = dict.fromkeys(x, 0.0), dict.fromkeys(x, 0.0), dict.fromkeys(x, 0.0)
    for t in range(1, STEPS + 1):
        grads = gradient(np, x, t - 1)
        rate = rate + settings["hyper_lr"] * sum(np.sum(g * d[k]) for k, g in grads.items())
        for k, g in grads.items():
            m[k], v[k] = 0.9 * m[k] + 0.1 * g, 0.999 * v[k] + 0.001 * g**2
            d[k] = (
                m[k] / (1 - 0.9**t) / (np.sqrt(v[k] / (1 - 0.999**t)) + 1e-8)
                if settings["inner"] == "adam"
                else settings["momentum"] * d[k] + g
            )
            x[k] = x[k] - rate * d[k]
    return x


FORMULAS = [
    (nadam, {"lr": 0.03, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "momentum_decay": 0.02, "weight_decay": 0.1}),
    (adafactor, {"lr": 0.3, "beta2_decay": -0.8, "eps": 1e-3, "clip": 1.2, "weight_decay": 0.1}),
    (hypergradient, {"lr": 0.01, "hyper_lr": 1e-3, "inner": "sgd", "momentum": 0.0}),
    (hypergradient, {"lr": 0.01, "hyper_lr": 1e-4, "inner": "sgd", "momentum": 0.8}),
    (hypergradient, {"lr": 0.01, "hyper_lr": 1e-4, "inner": "adam"}),
]  # fmt: skip


@pytest.mark.parametrize("formula,settings", FORMULAS)
def test_formulas(formula, settings):
    end = descend(formula.__name__, settings)
    tolerance = 1e-8 if formula is nadam else 1e-12  # torch keeps the product of its momenta in float32
    for key, value in formula(settings).items():
        np.testing.assert_allclose(end[key], value, rtol=0, atol=tolerance)


def test_none_is_without_a_reference():
    compared = {case["optimizer"] for case in RECORDED} | {formula.__name__ for formula, _ in FORMULAS}
    compared.add("lbfgs")  # with scipy's, in test_lbfgs.py: it evaluates the loss itself
    assert {found.name for found in catalogue("optimizer", others=False)} == compared
