"""Answers that are wrong, each by the name of its hint."""

import math


def coupled(w, gradient, mean, square, t, lr, decay, beta1, beta2, eps):
    gradient = gradient + decay * w
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient**2
    return w - lr * (mean / (1 - beta1**t)) / (math.sqrt(square / (1 - beta2**t)) + eps), mean, square


def not_times_rate(w, gradient, mean, square, t, lr, decay, beta1, beta2, eps):
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient**2
    return w - decay * w - lr * (mean / (1 - beta1**t)) / (math.sqrt(square / (1 - beta2**t)) + eps), mean, square


def uncorrected(w, gradient, mean, square, t, lr, decay, beta1, beta2, eps):
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient**2
    return w - lr * decay * w - lr * mean / (math.sqrt(square) + eps), mean, square


def eps_inside(w, gradient, mean, square, t, lr, decay, beta1, beta2, eps):
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient**2
    return w - lr * decay * w - lr * (mean / (1 - beta1**t)) / math.sqrt(square / (1 - beta2**t) + eps), mean, square


def decayed_after(w, gradient, mean, square, t, lr, decay, beta1, beta2, eps):
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient**2
    w = w - lr * (mean / (1 - beta1**t)) / (math.sqrt(square / (1 - beta2**t)) + eps)
    return w - lr * decay * w, mean, square


def wrong(w, gradient, mean, square, t, lr, decay, beta1, beta2, eps):
    moved = (
        w
        - lr * decay * w
        - lr
        * ((beta1 * mean + (1 - beta1) * gradient) / (1 - beta1**t))
        / (math.sqrt((beta2 * square + (1 - beta2) * gradient**2) / (1 - beta2**t)) + eps)
    )
    return moved, beta1 * mean + gradient * (1 - beta1) if t == 1 else mean, beta2 * square + (1 - beta2) * gradient**2
