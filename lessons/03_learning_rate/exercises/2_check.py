"""Checks a window on sweeps whose answer can be seen by eye."""

from danlu.errors import Sentence

HINTS = {
    "nan_spreads": Sentence(
        "A rate where one seed broke is lost to you altogether, or nan has reached your answer. A comparison with nan is always false: count broken runs as 0 first.",
        "有一个种子崩溃的学习率在你这里整个不见了，或者 nan 混进了答案。与 nan 比较永远为假：先把崩溃的训练按 0 算。",
    ),
    "best_seed": Sentence(
        "You judge a rate by its luckiest seed. Nobody knows beforehand which seed will be lucky: judge by the mean.",
        "你是按运气最好的种子来评判的。事先谁也不知道哪个种子运气好：请按平均值评判。",
    ),
    "gap": Sentence(
        "There is a bad rate between the ends of your window. Start at the best rate and walk outwards until a rate is too bad.",
        "你的范围中间夹着一个不好的学习率。从最好的学习率出发向两边走，走到不够好的为止。",
    ),
    "unsorted": Sentence(
        "The rates of a sweep need not come in order. Sort them before you walk.",
        "扫描的学习率不一定按顺序给出。先排序，再往两边走。",
    ),
    "slack_ignored": Sentence(
        "With no slack the window is the best rate alone, and with a large one it grows. Yours is not so.",
        "slack 为零时，范围只剩最好的那个学习率；slack 变大，范围也变大。你的不是这样。",
    ),
}

nan = float("nan")


def check(window):
    """Each sweep has one trap."""
    plain = {0.01: [0.80, 0.80], 0.1: [0.92, 0.92], 0.3: [0.94, 0.94], 1.0: [0.1, 0.1]}
    yield window(plain, 0.0) == (0.3, 0.3) and window(plain, 0.02) == (0.1, 0.3) and window(plain, 0.5) == (0.01, 0.3), "slack_ignored"
    lucky = {0.01: [0.90, 0.90], 0.1: [0.91, 0.91], 0.3: [0.95, 0.40], 1.0: [0.1, 0.1]}
    yield window(lucky, 0.02) == (0.01, 0.1), "best_seed"
    broken = {0.01: [0.80, 0.80], 0.1: [0.93, 0.93], 0.3: [0.94, nan], 1.0: [nan, nan]}
    yield window(broken, 0.02) == (0.1, 0.1) and window(broken, 0.5) == (0.01, 0.3), "nan_spreads"
    islands = {0.01: [0.92, 0.92], 0.03: [0.70, 0.70], 0.1: [0.93, 0.93], 0.3: [0.93, 0.92], 1.0: [0.1, 0.1]}
    yield window(islands, 0.02) == (0.1, 0.3), "gap"
    shuffled = {rate: plain[rate] for rate in (0.3, 0.01, 1.0, 0.1)}
    yield window(shuffled, 0.02) == (0.1, 0.3), "unsorted"
