"""Checks a paired t against numbers that can be done by hand, and against SciPy's."""

import math

from danlu.errors import Sentence

HINTS = {
    "unpaired": Sentence(
        "Here every seed shifts both arms by the same amount, and your t has not noticed: it still counts the seeds' own noise. Take the difference first, seed by seed.",
        "这里每个种子让两边同时偏移同样多，你的 t 却没有察觉，仍把种子自身的波动算了进去。先按种子逐个求差。",
    ),
    "by_place": Sentence(
        "The seeds of the two arms came in another order, and your answer changed. Who belongs to whom is said by the seed, not by the place in line.",
        "两边的种子换了个顺序，你的答案就变了。谁和谁成对，由种子决定，不由位置决定。",
    ),
    "population": Sentence(
        "Slightly too large. The mean was taken from the same few numbers, so they lie nearer to it than to the truth: by what must the squares be divided then?",
        "稍微偏大。平均值就是由这几个数算出来的，它们离它比离真值更近：那么平方和应当除以几？",
    ),
    "no_root": Sentence(
        "Four times as many seeds with the same scatter must double t. Yours does not change with their number: the mean is surer than a single difference.",
        "种子多到四倍而离散程度不变，t 应当加倍。你的 t 不随个数变化：平均值总比单个差值更可靠。",
    ),
    "sign": Sentence(
        "When a is the larger one, t should be positive.",
        "a 较大时，t 应当是正的。",
    ),
    "wrong": Sentence(
        "Differences 1, 2, 3 have mean 2, deviation 1 and standard error 1 / sqrt(3). What is their t?",
        "差值 1、2、3 的平均值是 2，标准差是 1，标准误是 1/sqrt(3)。t 是多少？",
    ),
}


def check(paired_t):
    """Small whole numbers first, then something like real accuracies."""
    base = {0: 10.0, 1: 50.0, 2: 90.0}
    a = {seed: base[seed] + seed + 1 for seed in base}
    found, right = paired_t(a, base), 2 * math.sqrt(3)
    yield abs(found) > 1, "unpaired"
    yield found > 0, "sign"
    turned = {seed: base[seed] for seed in (2, 0, 1)} | {7: 1.0}
    yield math.isclose(paired_t(a, turned), found), "by_place"
    yield not math.isclose(found, 2 / math.sqrt(2 / 3) * math.sqrt(3)), "population"
    zeros = dict.fromkeys(range(12), 0.0)
    few, many = ({seed: 1.0 + (-1) ** seed for seed in range(n)} for n in (3, 12))
    yield paired_t(many, zeros) > 1.1 * paired_t(few, zeros), "no_root"
    yield math.isclose(found, right, rel_tol=1e-9), "wrong"
    a, b = (dict(enumerate(given)) for given in ([0.932, 0.925, 0.941, 0.930], [0.927, 0.929, 0.926, 0.921]))
    d = [a[seed] - b[seed] for seed in a]
    mean = sum(d) / 4
    yield math.isclose(paired_t(a, b), mean / math.sqrt(sum((x - mean) ** 2 for x in d) / 3 / 4), rel_tol=1e-9), "wrong"
