"""Answers that are wrong, each by the name of its hint."""

import torch


def _length(slope):
    return torch.cat([g.flatten() for g in slope]).norm().clamp(min=1e-30)


def downhill(gradient, weights, rho):
    slope = gradient(weights)
    return gradient([w - rho * g / _length(slope) for w, g in zip(weights, slope)])


def not_normalised(gradient, weights, rho):
    return gradient([w + rho * g for w, g in zip(weights, gradient(weights))])


def each_by_itself(gradient, weights, rho):
    return gradient([w + rho * g / g.norm().clamp(min=1e-30) for w, g in zip(weights, gradient(weights))])


def left_uphill(gradient, weights, rho):
    slope = gradient(weights)
    length = _length(slope)
    for w, g in zip(weights, slope):
        w += rho * g / length
    return gradient(weights)


def zero(gradient, weights, rho):
    slope = gradient(weights)
    length = torch.cat([g.flatten() for g in slope]).norm()
    return gradient([w + rho * g / length for w, g in zip(weights, slope)])


def wrong(gradient, weights, rho):
    slope = gradient(weights)
    there = gradient([w + rho * g / _length(slope) for w, g in zip(weights, slope)])
    return [(a + b) / 2 for a, b in zip(slope, there)]
