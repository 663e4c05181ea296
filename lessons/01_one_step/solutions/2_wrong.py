"""Answers that are wrong, each by the name of its hint."""


def uphill(weights, gradients, rate):
    return [w + rate * g for w, g in zip(weights, gradients)]


def no_rate(weights, gradients, rate):
    return [w - g for w, g in zip(weights, gradients)]


def only_first(weights, gradients, rate):
    return [weights[0] - rate * gradients[0], *weights[1:]]


def old_changed(weights, gradients, rate):
    for w, g in zip(weights, gradients):
        w -= rate * g
    return weights


def gradient_of_length_one(weights, gradients, rate):
    return [w - rate * g / g.norm() for w, g in zip(weights, gradients)]


def wrong(weights, gradients, rate):
    return [w * (1 - rate) - rate * g for w, g in zip(weights, gradients)]
