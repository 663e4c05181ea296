"""Checks a fitted power law on points that lie on one, and on points that nearly do."""

import math

import numpy as np

from danlu.errors import Sentence

HINTS = {
    "no_logs": Sentence(
        "A straight line through the errors themselves falls below zero before long. Of what must the line be drawn?",
        "直接用误差画直线，很快就会降到零以下。直线应当画在什么的图上？",
    ),
    "only_sizes": Sentence(
        "You took the logarithm of the sizes but not of the errors. Each tenfold then takes off the same amount; in a power law it takes off the same share.",
        "你对规模取了对数，误差却没有。那样每增加十倍就减去同样的量；幂律里，减去的是同样的比例。",
    ),
    "left_as_log": Sentence(
        "What you return is still a logarithm: an error is not negative.",
        "你返回的还是对数：误差不会是负的。",
    ),
    "ends_only": Sentence(
        "You drew the line through the first and the last point. The ones between know something too.",
        "你只用了第一个点和最后一个点。中间的点也有话要说。",
    ),
    "nearest": Sentence(
        "For a size that is ten times larger you say the last error again. The question is how it goes on.",
        "规模大了十倍，你却重复了最后一个误差。问的是接下来会怎样。",
    ),
    "wrong": Sentence(
        "On points that lie exactly on a power law yours says another error than the law.",
        "点恰好落在一条幂律上，你给出的误差却与这条幂律不同。",
    ),
}


def check(foretold):
    """Points of an exact law; then points that scatter around one."""
    sizes = [100, 400, 1600, 6400]
    errors = [0.9 * size**-0.3 for size in sizes]
    right = 0.9 * 64000**-0.3
    found = foretold(sizes, errors, 64000)
    near = lambda value: math.isclose(found, value, rel_tol=1e-6)
    yield not near(errors[-1]), "nearest"
    yield not near(float(np.polyval(np.polyfit(sizes, errors, 1), 64000))), "no_logs"
    yield not near(float(np.polyval(np.polyfit(np.log(sizes), errors, 1), math.log(64000)))), "only_sizes"
    yield not (near(math.log(right)) or near(math.log10(right))), "left_as_log"
    yield near(right), "wrong"
    scattered = [errors[0], errors[1] * 1.2, errors[2] * 1.1, errors[3]]
    fit = float(np.exp(np.polyval(np.polyfit(np.log(sizes), np.log(scattered), 1), math.log(64000))))
    yield math.isclose(foretold(sizes, scattered, 64000), fit, rel_tol=1e-6), "ends_only"
