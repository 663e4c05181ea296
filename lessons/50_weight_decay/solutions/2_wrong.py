"""Answers that are wrong, each by the name of its hint."""


def _moved(gradient, m, v, step):
    m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
    return m / (1 - 0.9**step) / ((v / (1 - 0.999**step)) ** 0.5 + 1e-8), m, v


def through_the_gradient(w, gradient, m, v, step, rate, decay):
    update, m, v = _moved(gradient + decay * w, m, v, step)
    return w - rate * update, m, v


def without_the_rate(w, gradient, m, v, step, rate, decay):
    update, m, v = _moved(gradient, m, v, step)
    return w * (1 - decay) - rate * update, m, v


def no_correction(w, gradient, m, v, step, rate, decay):
    m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
    return w * (1 - rate * decay) - rate * m / (v**0.5 + 1e-8), m, v


def wrong(w, gradient, m, v, step, rate, decay):
    update, m, v = _moved(gradient, m, v, 1)
    return w * (1 - rate * decay) - rate * update, m, v
