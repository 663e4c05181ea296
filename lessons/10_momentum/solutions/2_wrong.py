"""Answers that are wrong, each by the name of its hint."""

import cmath


def _roots(rate, momentum, c):
    b = 1 + momentum - rate * c
    root = cmath.sqrt(b * b - 4 * momentum)
    return (b + root) / 2, (b - root) / 2


def _longest(rate, momentum, c):
    return max(abs(z) for z in _roots(rate, momentum, c))


def plain(rate, momentum, curvatures):
    return max(abs(1 - rate * c) for c in curvatures)


def effective(rate, momentum, curvatures):
    return max(abs(1 - rate / (1 - momentum) * c) for c in curvatures)


def real_part(rate, momentum, curvatures):
    return max(abs(z.real) for c in curvatures for z in _roots(rate, momentum, c))


def always_root(rate, momentum, curvatures):
    return momentum**0.5


def signed(rate, momentum, curvatures):
    def of(c):
        one, other = _roots(rate, momentum, c)
        return abs(one) if one.imag else max(one.real, other.real)

    return max(of(c) for c in curvatures)


def steepest(rate, momentum, curvatures):
    return _longest(rate, momentum, max(curvatures))


def flattest(rate, momentum, curvatures):
    return _longest(rate, momentum, min(curvatures))


def wrong(rate, momentum, curvatures):
    return sum(_longest(rate, momentum, c) for c in curvatures) / len(curvatures)
