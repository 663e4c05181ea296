"""Decay beside the gradient's step, not in it."""


def adamw_step(w: float, gradient: float, m: float, v: float, step: int, rate: float, decay: float) -> tuple[float, float, float]:
    m = 0.9 * m + 0.1 * gradient
    v = 0.999 * v + 0.001 * gradient**2
    update = m / (1 - 0.9**step) / ((v / (1 - 0.999**step)) ** 0.5 + 1e-8)
    return w * (1 - rate * decay) - rate * update, m, v
