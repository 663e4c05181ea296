"""Checks the vertex on sweeps whose answer is known."""

import math

from danlu.errors import Sentence

HINTS = {
    "edge": Sentence(
        "The lowest loss is at the end of the grid, and you name a rate. What do you know of the rates beyond?",
        "最低的损失在网格的端点上，你却给出了一个学习率。网格以外的学习率，你知道什么？",
    ),
    "diverged": Sentence(
        "A run that diverged has a loss that is not a number, and you have let it win or take part. What does nan < x say?",
        "发散的训练，损失不是数，你却让它胜出或参与了计算。nan < x 的结果是什么？",
    ),
    "grid_point": Sentence(
        "You return a point of the grid. The losses on both sides of the lowest are not equal: to which side does the valley lean?",
        "你返回的是网格上的点。最低点两边的损失并不相等：谷底偏向哪一边？",
    ),
    "plain_rate": Sentence(
        "Right for points at equal distances. These rates rise by a factor: on which axis are they equally far apart?",
        "对等距的点是对的。可这些学习率按倍数递增：在哪种坐标上它们才等距？",
    ),
    "other_side": Sentence(
        "You lean to the wrong side: the vertex lies towards the neighbour with the lower loss.",
        "偏错了方向：顶点应当靠近损失较低的那个邻点。",
    ),
    "wrong": Sentence(
        "With l, m, r for the three losses the vertex lies (l - r) / (l - 2 m + r) / 2 strides from the middle. How long is a stride here?",
        "三个损失记作 l、m、r，顶点离中间点 (l − r) / (l − 2m + r) / 2 个间距。这里的一个间距有多长？",
    ),
}


def check(best_rate):
    """Edges and gaps first, then valleys whose bottom is known."""
    yield math.isnan(best_rate([0.1, 0.2, 0.4], [1.0, 2.0, 3.0])), "edge"
    yield math.isnan(best_rate([0.1, 0.2, 0.4], [3.0, 2.0, 1.0])), "edge"
    yield math.isnan(best_rate([0.1, 0.2, 0.4, 0.8], [3.0, 2.0, 1.0, math.nan])), "diverged"
    yield math.isfinite(best_rate([0.1, 0.2, 0.4, 0.8, 1.6], [math.nan, 2.0, 1.0, 2.0, math.nan])), "diverged"
    rates = [0.01 * 4**k for k in range(6)]
    for bottom in (0.1, 0.25, 1.1):
        losses = [1 + math.log(rate / bottom) ** 2 for rate in rates]
        found = best_rate(rates, losses)
        yield math.isfinite(found) and not any(math.isclose(found, rate) for rate in rates), "grid_point"
        near = min(rates, key=lambda rate: abs(math.log(rate / bottom)))
        place = rates.index(near)
        l, m, r = losses[place - 1 : place + 2]
        a, b, c = rates[place - 1 : place + 2]
        plain = b - 0.5 * ((b - a) ** 2 * (m - r) - (b - c) ** 2 * (m - l)) / ((b - a) * (m - r) - (b - c) * (m - l))
        yield not math.isclose(found, plain, rel_tol=1e-3), "plain_rate"
        yield not math.isclose(found, near**2 / bottom, rel_tol=1e-3), "other_side"
        yield math.isclose(found, bottom, rel_tol=1e-6), "wrong"
