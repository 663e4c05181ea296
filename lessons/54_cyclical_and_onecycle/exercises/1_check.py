"""Checks the lowest point on tests with one trap each."""

from danlu.errors import Sentence

HINTS = {
    "raw": Sentence(
        "You have taken the lowest single loss. Here it is one lucky batch; what do its neighbours say?",
        "你取的是单个最低的损失。这里它只是一批运气好的数据，它的邻居怎么说？",
    ),
    "late": Sentence(
        "Your rate is too high: you smooth over the steps before only, so that the bottom seems to come later than it does.",
        "你的学习率偏高：你只对前面的步做平滑，所以谷底看起来来得比实际晚。",
    ),
    "ends_fall": Sentence(
        "You find the lowest point at an end. A mean over fewer neighbours is divided by their number, not by that of a full window.",
        "你把最低点找到了端点上。邻居少的时候，应当除以实际的个数，而不是整个窗口的个数。",
    ),
    "broken": Sentence(
        "Something that is not a number has reached your answer, or you have gone on after it. A test that broke is over there.",
        "不是数的东西混进了答案，或者你在它之后还继续往下看。测试崩溃的地方，就是它结束的地方。",
    ),
    "wrong": Sentence(
        "Smooth the losses 5, 4, 3, 2, 3 with a reach of one by hand: 4.5, 4, 3, 2.67, 2.5. Which of yours is different?",
        "手算一下：损失 5、4、3、2、3，reach 为一，平滑后是 4.5、4、3、2.67、2.5。你的哪一个不同？",
    ),
}

nan, inf = float("nan"), float("inf")


def check(lowest_rate):
    """Luck, delay, ends, breaking, and then one by hand."""
    rates = [10.0 ** (place / 4 - 4) for place in range(17)]
    lucky = [3.0, 3.0, 0.5, 3.0, 2.9, 2.6, 2.2, 1.8, 1.5, 1.3, 1.25, 1.3, 1.5, 1.9, 2.5, 3.0, 4.0]
    yield lowest_rate(rates, lucky, 2) != rates[2], "raw"
    valley = [abs(place - 8) / 4 + 1 for place in range(17)]
    yield not lowest_rate(rates, valley, 2) > rates[8], "late"
    yield lowest_rate(rates, [2.0] * 6 + [1.9] * 5 + [2.0] * 6, 2) in rates[6:11], "ends_fall"
    for last in (nan, inf, -inf):
        broken = [*valley[:12], last, 0.1, 0.1, 0.1, 0.1]
        yield lowest_rate(rates, broken, 2) == rates[8], "broken"
    yield lowest_rate(rates[:5], [5.0, 4.0, 3.0, 2.0, 3.0], 1) == rates[4] and lowest_rate(rates, lucky, 2) == rates[10], "wrong"
