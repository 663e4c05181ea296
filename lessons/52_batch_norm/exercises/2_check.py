"""Checks rate and decay by training: a weight in the plane of which only the direction counts."""

import math

from danlu.errors import Sentence

HINTS = {
    "unchanged": Sentence(
        "At the same rate the longer weight turns more slowly. What happens to the gradient of a function that does not mind the length?",
        "学习率不变，长的权重转得更慢。函数不在乎长度时，它的梯度会怎样变？",
    ),
    "shrinks": Sentence(
        "You lower the rate. A longer weight needs a longer step for the same turn.",
        "你把学习率降低了。权重更长，要转过同样的角度，步子就得更长。",
    ),
    "once": Sentence(
        "Halfway. The step must be `times` as long, that is one factor; but how long is the gradient now?",
        "做对了一半。步子要长到 times 倍，这是一个因子；可是梯度现在有多长？",
    ),
    "decay_kept": Sentence(
        "Without decay it is right. With it, look at rate * decay, the share that a step takes off: you have changed it.",
        "没有权重衰减时是对的。有衰减时，看 rate * decay，也就是一步缩掉的比例：你把它改了。",
    ),
    "decay_grows": Sentence(
        "You raise the decay as well as the rate, and the weight shrinks much faster than before. Which product should stay?",
        "学习率和衰减都被你放大了，权重缩得比原来快得多。哪个乘积应当不变？",
    ),
    "wrong": Sentence(
        "Let v = times * w. Its gradient is that of w divided by times. Write down the step of v and ask that it be times the step of w, term by term.",
        "设 v = times * w，它的梯度等于 w 的梯度除以 times。写出 v 的一步，要求它恰好是 w 那一步的 times 倍，逐项比较。",
    ),
}


def steps(start, rate, decay):
    """Thirty steps of w towards the direction (0, 1); the function is minus the cosine of the angle to it."""
    w, path = start, []
    for _ in range(30):
        length = math.hypot(*w)
        cosine = w[1] / length
        slope = (cosine * w[0] / length**2, (cosine * w[1] / length - 1) / length)
        w = tuple(x - rate * (g + decay * x) for x, g in zip(w, slope))
        path.append(w)
    return path


def check(same_training):
    """The rate first, then the decay, then thirty steps."""
    rate = same_training(0.1, 0.0, 10.0)[0]
    yield not math.isclose(rate, 0.1), "unchanged"
    yield rate > 0.1, "shrinks"
    yield not math.isclose(rate, 1.0), "once"
    decay = same_training(0.1, 0.01, 2.0)[1]
    yield not math.isclose(decay, 0.01), "decay_kept"
    yield decay < 0.01, "decay_grows"
    for times in (10.0, 0.5, 3.0):
        before = steps((1.0, 0.1), 0.2, 0.05)
        after = steps((times, 0.1 * times), *same_training(0.2, 0.05, times))
        yield all(math.isclose(times * a, b, rel_tol=1e-6) for w, v in zip(before, after) for a, b in zip(w, v)), "wrong"
