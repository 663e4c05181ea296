"""Writes references.json: where other people's optimisers end on the descent of `trajectory.py`.

    python -m venv /tmp/oracle && /tmp/oracle/bin/pip install jax optax schedulefree prodigyopt dadaptation pytorch_optimizer torch
    /tmp/oracle/bin/python tests/optim/record_references.py

Each case has the settings that danlu's optimiser of that name takes to do the same. The versions are in the file.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np
import torch
from trajectory import STEPS, gradient, start

jax.config.update("jax_enable_x64", True)
import optax  # noqa: E402


def with_optax(chain):
    point = {k: jax.numpy.asarray(v) for k, v in start(np).items()}
    state = chain.init(point)
    for step in range(STEPS):
        grads = {k: jax.numpy.asarray(v) for k, v in gradient(np, {k: np.asarray(v) for k, v in point.items()}, step).items()}
        updates, state = chain.update(grads, state, point)
        point = optax.apply_updates(point, updates)
    return point


def with_torch(make, finish=lambda optimizer, point: point):
    """`make(params)` is an optimiser; `finish` reads the result from it."""
    point = {k: torch.nn.Parameter(torch.tensor(v)) for k, v in start(np).items()}
    optimizer = make(list(point.values()))
    if hasattr(optimizer, "train"):
        optimizer.train()
    for step in range(STEPS):
        for k, g in gradient(np, {k: p.detach().numpy() for k, p in point.items()}, step).items():
            point[k].grad = torch.tensor(g)
        optimizer.step()
    return {k: p.detach().numpy() for k, p in finish(optimizer, point).items()}


def averaged(optimizer, point):
    optimizer.eval()
    return point


def cases():
    import dadaptation
    import prodigyopt
    import pytorch_optimizer
    import schedulefree

    yield "sgd", {"lr": 0.05, "momentum": 0.9}, "optax.sgd", with_optax(optax.sgd(0.05, 0.9))
    yield "sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True}, "optax.sgd", with_optax(optax.sgd(0.05, 0.9, nesterov=True))
    yield "adam", {"lr": 0.03, "beta2": 0.95}, "optax.adam", with_optax(optax.adam(0.03, 0.9, 0.95, 1e-8))
    yield "adamw", {"lr": 0.03, "weight_decay": 0.1}, "optax.adamw", with_optax(optax.adamw(0.03, weight_decay=0.1))
    yield "lion", {"lr": 0.02, "weight_decay": 0.1}, "optax.lion", with_optax(optax.lion(0.02, weight_decay=0.1))
    yield "radam", {"lr": 0.03, "beta2": 0.95, "eps": 1e-12}, "optax.radam", with_optax(optax.radam(0.03, 0.9, 0.95, eps=1e-12))
    yield "adagrad", {"lr": 0.1, "eps": 1e-12}, "optax.adagrad", with_optax(optax.adagrad(0.1, 0.0, eps=1e-24))
    yield (
        "rmsprop", {"lr": 0.02, "decay": 0.9, "momentum": 0.5}, "optax.rmsprop",
        with_optax(optax.rmsprop(0.02, 0.9, eps=1e-8, eps_in_sqrt=False, momentum=0.5)),
    )  # fmt: skip
    yield (
        "rmsprop", {"lr": 0.02, "decay": 0.9, "centered": True}, "optax.rmsprop",
        with_optax(optax.rmsprop(0.02, 0.9, eps=1e-8, eps_in_sqrt=False, centered=True)),
    )  # fmt: skip
    yield "adadelta", {"lr": 1.0, "rho": 0.9, "eps": 1e-4}, "optax.adadelta", with_optax(optax.adadelta(1.0, 0.9, 1e-4))
    yield "lamb", {"lr": 0.03, "weight_decay": 0.1}, "optax.lamb", with_optax(optax.lamb(0.03, weight_decay=0.1))
    yield (
        "muon", {"lr": 0.02, "scale": "original", "adamw_lr": 0.03, "weight_decay": 0.1, "beta2": 0.999}, "optax.contrib.muon",
        with_optax(optax.contrib.muon(
            0.02, weight_decay=0.1, adam_learning_rate=0.03, adam_weight_decay=0.1,
            muon_weight_dimension_numbers={"w": optax.contrib.MuonDimensionNumbers(1, 0), "b": None},
        )),
    )  # fmt: skip
    yield (
        "schedule_free_sgd", {"lr": 0.2, "beta": 0.8, "weight_decay": 0.05}, "schedulefree.SGDScheduleFree",
        with_torch(lambda ps: schedulefree.SGDScheduleFree(ps, lr=0.2, momentum=0.8, weight_decay=0.05), averaged),
    )  # fmt: skip
    yield (
        "schedule_free_adamw", {"lr": 0.05, "beta2": 0.95, "weight_decay": 0.05, "power": 1.0}, "schedulefree.AdamWScheduleFree",
        with_torch(lambda ps: schedulefree.AdamWScheduleFree(ps, lr=0.05, betas=(0.9, 0.95), weight_decay=0.05, r=1.0), averaged),
    )  # fmt: skip
    yield (
        "prodigy", {"weight_decay": 0.05, "beta2": 0.95}, "prodigyopt.Prodigy",
        with_torch(lambda ps: prodigyopt.Prodigy(ps, betas=(0.9, 0.95), weight_decay=0.05)),
    )  # fmt: skip
    yield (
        "prodigy", {"beta2": 0.95, "bias_correction": True, "safeguard": True, "share": 0.5, "growth": 3.0}, "prodigyopt.Prodigy",
        with_torch(lambda ps: prodigyopt.Prodigy(
            ps, betas=(0.9, 0.95), use_bias_correction=True, safeguard_warmup=True, d_coef=0.5, growth_rate=3.0
        )),
    )  # fmt: skip
    yield (
        "d_adaptation", {"weight_decay": 0.05, "beta2": 0.95}, "dadaptation.DAdaptAdam",
        with_torch(lambda ps: dadaptation.DAdaptAdam(ps, betas=(0.9, 0.95), weight_decay=0.05, decouple=True)),
    )  # fmt: skip
    yield (
        "d_adaptation", {"beta2": 0.95, "bias_correction": True, "growth": 2.0}, "dadaptation.DAdaptAdam",
        with_torch(lambda ps: dadaptation.DAdaptAdam(ps, betas=(0.9, 0.95), use_bias_correction=True, growth_rate=2.0)),
    )  # fmt: skip
    yield (
        "soap", {"lr": 0.02, "every": 3, "weight_decay": 0.05}, "pytorch_optimizer.SOAP",
        with_torch(lambda ps: pytorch_optimizer.SOAP(
            ps, lr=0.02, betas=(0.95, 0.95), shampoo_beta=0.95, weight_decay=0.05, precondition_frequency=3
        )),
    )  # fmt: skip
    yield (
        "shampoo", {"lr": 0.1, "momentum": 0.0, "beta2": 1.0, "eps": 0.05, "every": 1, "graft": "none", "weight_decay": 0.0},
        "pytorch_optimizer.Shampoo", with_torch(lambda ps: pytorch_optimizer.Shampoo(ps, lr=0.1, matrix_eps=0.05)),
    )  # fmt: skip


if __name__ == "__main__":
    packages = ("optax", "schedulefree", "prodigyopt", "dadaptation", "pytorch_optimizer")
    found = [
        {"optimizer": name, "settings": settings, "by": by, "end": {k: np.asarray(v).tolist() for k, v in end.items()}}
        for name, settings, by, end in cases()
    ]
    out = {"versions": {name: version(name) for name in packages}, "cases": found}
    Path(__file__).with_name("references.json").write_text(json.dumps(out, indent=1) + "\n")
    print(len(found), "cases")
