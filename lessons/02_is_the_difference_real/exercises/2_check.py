"""Checks a conclusion on intervals that each lead into one well-known fallacy."""

from danlu.errors import Sentence

HINTS = {
    "absence": Sentence(
        'You said no for an interval from -0.03 to 0.05, where a gain of 0.01 would matter. "Not significant" is not "no gain": which gains does the interval still allow?',
        "区间是 -0.03 到 0.05，提高 0.01 就值得在意，你却答了“没有”。“不显著”不等于“没有提高”：这个区间还容得下多大的提高？",
    ),
    "any_gain": Sentence(
        "You said yes for an interval from 0.001 to 0.05, where only a gain of 0.01 would matter. Surely above zero is not surely large enough.",
        "区间是 0.001 到 0.05，至少提高 0.01 才值得在意，你却答了“有”。肯定大于零，不等于肯定够大。",
    ),
    "middle": Sentence(
        "You decided by the middle of the interval. Then its width plays no part, and two seeds would be as good as two hundred.",
        "你按区间的中点下结论。这样区间宽窄就不起作用，两个种子和两百个种子没有区别。",
    ),
    "harm_only": Sentence(
        "You did not say no for an interval from 0.001 to 0.004, where only a gain of 0.01 would matter. It is a gain, and it is known well: known to be what?",
        "区间是 0.001 到 0.004，至少提高 0.01 才值得在意，你没有答“没有”。确实有提高，而且知道得很清楚：清楚到什么程度？",
    ),
    "wrong": Sentence(
        "Draw the line of gains with a mark at `effect`, lay the interval on it, and look on which side it lies.",
        "画一条数轴，在 effect 处做个记号，把区间放上去，看它落在哪一边。",
    ),
}


def check(conclusion):
    """The four intervals, and then their neighbours."""
    yield conclusion(-0.03, 0.05, 0.01) != "no", "absence"
    yield conclusion(0.001, 0.05, 0.01) != "yes", "any_gain"
    yield conclusion(-0.03, 0.06, 0.01) == conclusion(-0.03, 0.04, 0.01) and conclusion(-0.05, 0.02, 0.01) == "open", "middle"
    yield conclusion(0.001, 0.004, 0.01) == "no", "harm_only"
    for low, high, right in ((0.02, 0.03, "yes"), (-0.02, -0.01, "no"), (0.005, 0.02, "open"), (-0.001, 0.001, "no"), (0.011, 0.5, "yes")):
        yield conclusion(low, high, 0.01) == right, "wrong"
