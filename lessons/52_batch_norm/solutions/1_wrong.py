"""Answers that are wrong, each by the name of its hint."""


def forgets_the_mean(weight, bias, scale, shift, mean, variance, eps):
    by = scale / (variance + eps).sqrt()
    return weight * by[:, None], bias * by + shift


def forgets_the_bias(weight, bias, scale, shift, mean, variance, eps):
    by = scale / (variance + eps).sqrt()
    return weight * by[:, None], shift - mean * by


def variance(weight, bias, scale, shift, mean, variance, eps):
    by = scale / (variance + eps)
    return weight * by[:, None], (bias - mean) * by + shift


def columns(weight, bias, scale, shift, mean, variance, eps):
    by = scale / (variance + eps).sqrt()
    return weight * by, (bias - mean) * by + shift


def no_eps(weight, bias, scale, shift, mean, variance, eps):
    by = scale / variance.sqrt()
    return weight * by[:, None], (bias - mean) * by + shift


def wrong(weight, bias, scale, shift, mean, variance, eps):
    by = scale / (variance + eps).sqrt()
    return weight * by[:, None], (bias - mean) * by + shift * by
