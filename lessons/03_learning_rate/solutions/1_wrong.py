"""Answers that are wrong, each by the name of its hint."""


def one_over(curvatures):
    return 1 / max(curvatures)


def flattest(curvatures):
    return 2 / min(curvatures)


def average(curvatures):
    return 2 / (sum(curvatures) / len(curvatures))


def wrong(curvatures):
    return max(curvatures)
