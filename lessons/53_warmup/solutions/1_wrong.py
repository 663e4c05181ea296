"""Answers that are wrong, each by the name of its hint."""

import math


def _means(gradients, beta1, beta2, size=lambda g: g * g):
    mean = square = 0.0
    for step, g in enumerate(gradients, 1):
        mean, square = beta1 * mean + (1 - beta1) * g, beta2 * square + (1 - beta2) * size(g)
        yield step, g, mean, square


def no_correction(gradients, beta1, beta2):
    return [mean / math.sqrt(square) for _, _, mean, square in _means(gradients, beta1, beta2)]


def one_corrected(gradients, beta1, beta2):
    return [mean / (1 - beta1**step) / math.sqrt(square) for step, _, mean, square in _means(gradients, beta1, beta2)]


def sign_lost(gradients, beta1, beta2):
    return [
        abs(mean) / (1 - beta1**step) / math.sqrt(square / (1 - beta2**step)) for step, _, mean, square in _means(gradients, beta1, beta2)
    ]


def no_memory(gradients, beta1, beta2):
    return [g / math.sqrt(square / (1 - beta2**step)) for step, g, _, square in _means(gradients, beta1, beta2)]


def mean_of_squares(gradients, beta1, beta2):
    return [mean / (1 - beta1**step) / (square / (1 - beta2**step)) for step, _, mean, square in _means(gradients, beta1, beta2, abs)]


def wrong(gradients, beta1, beta2):
    return [
        mean / (1 - beta1**step) / math.sqrt(square / (1 - beta2 ** max(step - 1, 1)))
        for step, _, mean, square in _means(gradients, beta1, beta2)
    ]
