"""Checks the noise scale on lengths that are exactly what the formula says."""

import math

from danlu.errors import Sentence

HINTS = {
    "upside_down": Sentence(
        "That is signal over noise: twice the noise must give twice the scale.",
        "这是信号除以噪声：噪声加倍，尺度应当加倍。",
    ),
    "negative": Sentence(
        "Your scale is below zero. The small batch has the longer gradient: which difference is positive, and which sign does 1/few - 1/many have?",
        "你的尺度小于零。小批量的梯度更长：哪个差是正的？1/few − 1/many 又是什么符号？",
    ),
    "large_is_no_signal": Sentence(
        "Near, but too small. `many` rows still have noise: how much of `large` is it?",
        "接近了，但偏小。many 行的梯度里还有噪声：它在 large 里占多少？",
    ),
    "noise_of_a_batch": Sentence(
        "Your answer depends on how many rows the small batches had. S is the noise of one row, not of a batch.",
        "你的答案随小批量的行数而变。S 是一行的噪声，不是一批的噪声。",
    ),
    "wrong": Sentence(
        "There are two equations, small = G2 + S / few and large = G2 + S / many, and two unknowns. Subtract one from the other first.",
        "有两个方程：small = G2 + S / few，large = G2 + S / many，两个未知数。先把它们相减。",
    ),
}


def check(noise_scale):
    """Signal and noise chosen, lengths computed, scale asked for."""

    def asked(signal, noise, few, many):
        return noise_scale(few, signal + noise / few, many, signal + noise / many)

    plain = asked(2.0, 100.0, 1, 64)
    yield plain > 0, "negative"
    yield not math.isclose(plain, 2.0 / 100.0, rel_tol=1e-6), "upside_down"
    yield not math.isclose(plain, 100.0 / (2.0 + 100.0 / 64), rel_tol=1e-6), "large_is_no_signal"
    yield math.isclose(asked(1.0, 80.0, 4, 1024), asked(1.0, 80.0, 16, 1024), rel_tol=1e-6), "noise_of_a_batch"
    for signal, noise, few, many in ((2.0, 100.0, 1, 64), (1.0, 80.0, 4, 1024), (0.3, 7.0, 8, 16)):
        yield math.isclose(asked(signal, noise, few, many), noise / signal, rel_tol=1e-6), "wrong"
