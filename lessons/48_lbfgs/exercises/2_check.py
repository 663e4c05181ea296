"""Checks acceptance on parabolas and one curve with two valleys."""

from danlu.errors import Sentence

HINTS = {
    "any_fall": Sentence(
        "A loss that falls by next to nothing is enough for you. How much did the slope at the start promise for this length?",
        "损失几乎没降你也接受。起点的斜率为这个步长许诺了多少下降？",
    ),
    "short_steps": Sentence(
        "You accept a step so short that the slope is still as steep as at the start. What would the pair (s, y) say about the curvature?",
        "步子短到斜率还和起点一样陡，你也接受。这样的一对 (s, y) 能说明多少曲率？",
    ),
    "too_far": Sentence(
        "Far behind the bottom the loss climbs steeply, and you accept it. That is the weak condition: what does the strong one ask of the size of the slope?",
        "过了谷底很远，损失正陡峭地上升，你却接受。这是弱条件：强条件对斜率的大小有什么要求？",
    ),
    "promise_without_length": Sentence(
        "A step twice as long promises twice the fall. Yours promises the same for every length.",
        "步子长一倍，许诺的下降也多一倍。你的许诺与步长无关。",
    ),
    "wrong": Sentence(
        "The very bottom of a valley has a slope of zero and must be accepted. Look at your signs.",
        "谷底的斜率为零，必须接受。看看你的正负号。",
    ),
}


def parabola(curvature):
    """loss and slope at t of curvature * (t - 1)^2 / 2."""
    return lambda t: (curvature * (t - 1) ** 2 / 2, curvature * (t - 1))


def check(accepts):
    """One trap each."""
    p = parabola(2.0)
    yield accepts(p(0), p(1), 1.0) is True and accepts(p(0), p(0.8), 0.8) is True, "wrong"
    yield not accepts((0.0, -1.0), (-1e-6, 0.1), 1.0), "any_fall"
    yield not accepts(p(0), p(0.01), 0.01), "short_steps"
    yield not accepts((0.0, -1.0), (-0.5, 3.0), 2.0), "too_far"
    yield not accepts((0.0, -1.0), (-0.5, 0.0), 10.0, c1=0.1), "promise_without_length"
    for t in (0.05, 0.2, 1.5, 1.85, 1.95, 2.5):
        (loss, slope), (begin, down) = p(t), p(0)
        yield accepts(p(0), p(t), t) == (loss <= begin + 1e-4 * t * down and abs(slope) <= 0.9 * abs(down)), "wrong"
