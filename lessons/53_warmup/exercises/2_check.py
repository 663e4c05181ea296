"""Checks the shortest warm-up on limits whose answer can be found by trying."""

from danlu.errors import Sentence

HINTS = {
    "needs_none": Sentence(
        "These limits are above the peak from the first step on: then no warm-up at all is needed.",
        "这里的上限从第一步起就高于峰值：那就根本不需要预热。",
    ),
    "peak_alone": Sentence(
        "You wait until the limit has reached the peak. But the ramp has to stay below the limit on its way, too, and may need to be flatter.",
        "你只等到上限达到峰值为止。可上升途中的每一步也不能超过上限，坡可能还得更缓。",
    ),
    "ramp_alone": Sentence(
        "The ramp is below the limits, but after it the peak is not: the limit falls again later on.",
        "上升途中没有超过上限，之后的峰值却超过了：后面上限又降了下来。",
    ),
    "one_off": Sentence(
        "You are one step off. Step W is the first that has the whole peak, and the step before it has W / (W + 1) of it.",
        "你差了一步。第 W 步才第一次用到整个峰值，它的前一步是峰值的 W / (W + 1)。",
    ),
    "no_none": Sentence(
        "Here no warm-up is long enough, since the limit never reaches the peak. Say -1.",
        "这里多长的预热都不够，因为上限始终没有达到峰值。应当返回 −1。",
    ),
    "wrong": Sentence(
        "Try W = 0, 1, 2, ... and look at every step. Which step breaks its limit with your answer, or would not with a shorter one?",
        "依次试 W = 0、1、2……，检查每一步。你的答案在哪一步超过了上限？或者更短的预热其实也不会超过？",
    ),
}


def brute(limits, peak):
    for warmup in range(len(limits)):
        if all(peak * min(1.0, (step + 1) / (warmup + 1)) <= limit + 1e-12 for step, limit in enumerate(limits)):
            return warmup
    return -1


def check(shortest_warmup):
    """One trap at a time."""
    yield shortest_warmup([2.0, 2.0, 2.0], 1.0) == 0, "needs_none"
    slow = [0.1, 0.2, 0.3, 0.4, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    yield shortest_warmup(slow, 1.0) != 4, "peak_alone"
    yield shortest_warmup([0.6, 1.0, 1.0, 0.5, 1.0], 1.0) == -1, "ramp_alone"
    yield shortest_warmup([0.5, 0.6, 0.7], 1.0) == -1, "no_none"
    found = shortest_warmup(slow, 1.0)
    yield found not in (brute(slow, 1.0) - 1, brute(slow, 1.0) + 1), "one_off"
    for limits, peak in ((slow, 1.0), ([0.05, 0.2, 0.5, 1.0, 1.0, 1.0] + [1.0] * 20, 1.0), ([0.3, 0.35, 0.6, 0.9, 1.2, 1.2], 0.8)):
        yield shortest_warmup(limits, peak) == brute(limits, peak), "wrong"
