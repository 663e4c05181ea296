"""Answers that are wrong, each by the name of its hint."""

import torch


def in_use_too(x, rate, draws, training):
    return torch.where(draws < rate, 0.0, x / (1 - rate))


def mean_falls(x, rate, draws, training):
    return torch.where(draws < rate, 0.0, x) if training else x


def other_share(x, rate, draws, training):
    return torch.where(draws < rate, x / rate, 0.0) if training else x


def over_rate(x, rate, draws, training):
    return torch.where(draws < rate, 0.0, x / rate) if training else x


def in_place(x, rate, draws, training):
    if training:
        x[draws < rate] = 0
        x /= 1 - rate
    return x


def all_gone(x, rate, draws, training):
    return x * (draws >= rate) / (1 - rate) if training else x
