"""Answers that are wrong, each by the name of its hint."""

import torch


def _factor(m, damping):
    return m.T @ m / len(m) + damping * torch.eye(m.shape[1], dtype=m.dtype)


def swapped(inputs, output_gradients, slope, damping):
    return torch.linalg.solve(_factor(inputs, damping), slope) @ torch.linalg.inv(_factor(output_gradients, damping))


def sums(inputs, output_gradients, slope, damping):
    a, g = (m.T @ m + damping * torch.eye(m.shape[1], dtype=m.dtype) for m in (inputs, output_gradients))
    return torch.linalg.solve(g, slope) @ torch.linalg.inv(a)


def centred(inputs, output_gradients, slope, damping):
    a, g = (_factor(m - m.mean(0), damping) for m in (inputs, output_gradients))
    return torch.linalg.solve(g, slope) @ torch.linalg.inv(a)


def one_factor(inputs, output_gradients, slope, damping):
    return slope @ torch.linalg.inv(_factor(inputs, damping))


def undamped(inputs, output_gradients, slope, damping):
    return torch.linalg.solve(_factor(output_gradients, 0), slope) @ torch.linalg.inv(_factor(inputs, 0))


def wrong(inputs, output_gradients, slope, damping):
    return _factor(output_gradients, damping) @ slope @ _factor(inputs, damping)
