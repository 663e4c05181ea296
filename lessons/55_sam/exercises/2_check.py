"""Checks the distance by walking."""

import math

from danlu.errors import Sentence

HINTS = {
    "at_the_bottom": Sentence(
        "It never rests at the bottom: however small x is, the gradient is asked for rho away.",
        "它不会停在谷底：x 再小，问的也是 rho 之外的梯度。",
    ),
    "at_rho": Sentence(
        "From a distance of rho a step leads much nearer to the bottom. Where does it stop getting nearer?",
        "从距离 rho 处出发，走一步就近了许多。到哪里就不再变近？",
    ),
    "small_rates_only": Sentence(
        "Right when rate * curvature is very small. With a product near one, a step from x lands far beyond the bottom: exactly where?",
        "rate * curvature 很小时是对的。乘积接近一时，从 x 走一步会落到谷底另一边很远：究竟落在哪里？",
    ),
    "loss": Sentence(
        "That is the loss there, not the distance.",
        "这是那里的损失，不是距离。",
    ),
    "wrong": Sentence(
        "At rest a step turns x into -x. Write that down and solve for x.",
        "停下来之后，一步把 x 变成 -x。写下这个等式，解出 x。",
    ),
}


def walked(rate, curvature, rho):
    """After very many steps."""
    x = 0.3
    for _ in range(20_000):
        x -= rate * curvature * (x + math.copysign(rho, x))
    return abs(x)


def check(resting_distance):
    """Small products first."""
    rate, curvature, rho = 0.1, 2.0, 0.05
    found = resting_distance(rate, curvature, rho)
    yield found > 0, "at_the_bottom"
    yield not math.isclose(found, rho), "at_rho"
    yield not math.isclose(found, curvature * walked(rate, curvature, rho) ** 2 / 2, rel_tol=1e-6), "loss"
    small = math.isclose(resting_distance(1e-3, 1.0, 0.1), walked(1e-3, 1.0, 0.1), rel_tol=1e-2)
    yield not (small and not math.isclose(resting_distance(0.9, 1.0, 0.1), walked(0.9, 1.0, 0.1), rel_tol=1e-3)), "small_rates_only"
    for rate, curvature, rho in ((0.1, 2.0, 0.05), (0.9, 1.0, 0.1), (0.01, 30.0, 1.0)):
        yield math.isclose(resting_distance(rate, curvature, rho), walked(rate, curvature, rho), rel_tol=1e-6), "wrong"
