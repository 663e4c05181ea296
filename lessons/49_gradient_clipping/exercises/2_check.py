"""Checks a resting place by adding up the clipped pulls there."""

from danlu.errors import Sentence

HINTS = {
    "mean": Sentence(
        "That is the mean, where unclipped descent rests. The far row pulls with the limit and no more: who holds against it?",
        "那是平均数，是不裁剪时停下的地方。远处那一行的拉力最多只有上限那么大，谁来和它抗衡？",
    ),
    "median": Sentence(
        "That is the median, the resting place when the limit is tiny. With a large limit near rows pull by how far they are, and w moves.",
        "那是中位数，只有上限极小时才停在那里。上限大时，近处的行按距离拉，w 就会移动。",
    ),
    "clipped_rows": Sentence(
        "You clipped the rows themselves. What is clipped is the distance from w, and w is what you are looking for.",
        "你裁剪的是数据本身。该裁剪的是到 w 的距离，而 w 正是要找的。",
    ),
    "one_step": Sentence(
        "You clipped the distances from one fixed place and stopped there. Move, and clip again from where you are now.",
        "你只从一个固定的位置量了一次距离就停了。挪过去，再从新的位置裁剪一次。",
    ),
    "wrong": Sentence(
        "Add up max(-limit, min(limit, w - y)) over the rows at your w. It is not zero: which way does it push?",
        "在你的 w 处，把各行的 max(−limit, min(limit, w − y)) 加起来，不等于零。它往哪边推？",
    ),
}


def pull(w, rows, limit) -> float:
    return sum(max(-limit, min(limit, w - y)) for y in rows)


def check(resting_at):
    """A far row, a large limit, a small one, and everything together."""
    far = [0.0, 1.0, 2.0, 100.0]
    found = resting_at(far, 2.5)  # the three near rows hold against a pull of 2.5
    yield abs(found - 25.75) > 1e-6, "mean"
    yield abs(found - 1.5) > 1e-6, "median"
    yield abs(found - 1.375) > 1e-6, "clipped_rows"
    yield abs(found - 1.75) > 1e-6 and abs(found - 24.5) > 1e-6, "one_step"
    for rows, limit in ((far, 2.5), (far, 1000.0), (far, 0.5), ([10.0, 11.0, 12.0], 1.0), ([-5.0, 0.0, 0.5, 4.0, 9.0], 2.0)):
        yield abs(pull(resting_at(rows, limit), rows, limit)) < 1e-3, "wrong"
