"""Checks the largest stable rate by walking in the valley."""

import math

from danlu.errors import Sentence

HINTS = {
    "one_over": Sentence(
        "That rate brings the steepest axis to the bottom in one step. It is the fastest for that axis, and still far from unstable: try a little more.",
        "这个学习率让最陡的轴一步就到谷底。对那个轴来说它最快，但离不稳定还远：再大一点试试。",
    ),
    "flattest": Sentence(
        "At that rate the flattest axis is just stable, but a steeper one flies apart. Which axis sets the limit for all of them?",
        "在这个学习率下，最平缓的轴刚好稳定，更陡的轴却飞走了。是哪个轴给所有轴定下上限？",
    ),
    "average": Sentence(
        "An average of curvatures protects no axis in particular: walk with that rate on a valley with one steep axis and see.",
        "曲率的平均值保护不了任何一个轴：找一个只有一个陡轴的山谷，用这个学习率走走看。",
    ),
    "wrong": Sentence(
        "On an axis with curvature c each step multiplies the position by 1 - rate * c. For which rates is that factor between -1 and 1?",
        "曲率为 c 的轴上，每一步都把位置乘以 1 - rate * c。rate 取什么值时，这个因子在 -1 和 1 之间？",
    ),
}


def check(largest_rate):
    """One steep axis, one flat; then a single axis; then many."""
    found = largest_rate([1.0, 4.0])
    yield not math.isclose(found, 0.25), "one_over"
    yield not math.isclose(found, 2.0), "flattest"
    yield not math.isclose(found, 0.8), "average"
    for curvatures in ([1.0, 4.0], [10.0], [0.5, 0.1, 8.0, 3.0]):
        rate = largest_rate(curvatures)
        just_below, just_above = (max(abs(1 - 0.999 * rate * c) for c in curvatures), max(abs(1 - 1.001 * rate * c) for c in curvatures))
        yield just_below < 1 < just_above, "wrong"
