"""Answers that are wrong, each by the name of its hint."""


def at_the_bottom(rate, curvature, rho):
    return 0.0


def at_rho(rate, curvature, rho):
    return rho


def small_rates_only(rate, curvature, rho):
    return rate * curvature * rho / 2


def loss(rate, curvature, rho):
    return curvature * (rate * curvature * rho / (2 - rate * curvature)) ** 2 / 2


def wrong(rate, curvature, rho):
    return rate * curvature * rho / (1 - rate * curvature)
