"""Clamped as torch's own function clamps."""

import math

import torch
import toys

from danlu.core import Run
from danlu.techniques.gradient.clip_value import ClipValue
from danlu.testing.compare import at_step


def test_torch():
    (plain, batches), (own, own_batches) = at_step(toys.recipe(), 0), at_step(toys.recipe(ClipValue(limit=0.01)), 0)
    plain.gradient(plain.objective, batches)
    largest = max(float(p.grad.abs().max()) for p in plain.trainable())
    assert largest > 0.01
    torch.nn.utils.clip_grad_value_(plain.trainable(), 0.01)
    own.gradient(own.objective, own_batches)
    assert all(torch.equal(p.grad, q.grad) for p, q in zip(plain.trainable(), own.trainable()))


def test_none_where_nothing_has_a_gradient():
    run = Run(toys.recipe(ClipValue(0.1), loss=lambda model, batch: model(batch.inputs).detach().sum(), steps=1))
    assert [math.isfinite(float(report.loss)) for report in run] == [True]
