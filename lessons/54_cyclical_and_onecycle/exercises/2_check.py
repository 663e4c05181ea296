"""Checks fair gaps on sweeps with one trap each."""

import math

from danlu.errors import Sentence

HINTS = {
    "same_rate": Sentence(
        "You judge both at one rate. Which schedule is that rate best for, and what would the other say to it?",
        "你让两者用同一个学习率。这个学习率对哪一个最好？另一个会怎么说？",
    ),
    "own_choice": Sentence(
        "Each seed has picked the rate that was luckiest for itself. Then the result is a minimum of many numbers, not the loss to expect.",
        "每个种子都挑了对自己运气最好的学习率。那样得到的是许多数里的最小值，而不是应当预期的损失。",
    ),
    "chosen_by_all": Sentence(
        "Near, but the seed that is judged has a vote in the choice of its rate. Leave it out.",
        "很接近了，但被评判的种子也参与了学习率的选择。应当把它排除在外。",
    ),
    "sign": Sentence(
        "a is better here, so the gaps must be below zero.",
        "这里 a 更好，差应当小于零。",
    ),
    "wrong": Sentence(
        "There must be one number for each seed, the loss at one rate minus the loss at another one. What have you subtracted?",
        "每个种子应当对应一个数：某个学习率下的损失，减去另一个学习率下的损失。你减的是什么？",
    ),
}

inf = float("inf")


def close(found, right):
    return len(found) == len(right) and all(math.isclose(x, y, abs_tol=1e-9) for x, y in zip(found, right))


def check(fair_gaps):
    """Each sweep has one trap."""
    a = {0.1: [0.9, 0.9, 0.9], 0.2: [0.7, 0.7, 0.7], 0.4: [0.5, 0.5, 0.5]}
    b = {0.1: [0.6, 0.6, 0.6], 0.2: [0.8, 0.8, 0.8], 0.4: [2.0, inf, 2.0]}
    yield not (close(fair_gaps(a, b), [0.1] * 3)), "sign"
    yield close(fair_gaps(a, b), [-0.1] * 3), "same_rate"
    noisy = {0.1: [0.1, 0.9, 0.9], 0.2: [0.5, 0.5, 0.6], 0.4: [0.9, 0.8, 0.2]}
    yield not close(fair_gaps(noisy, b), [0.1 - 0.6, 0.5 - 0.6, 0.2 - 0.6]), "own_choice"
    swayed = {0.1: [0.1, 0.6, 0.6], 0.2: [0.5, 0.5, 0.5]}
    yield not close(fair_gaps(swayed, b), [0.1 - 0.6, 0.6 - 0.6, 0.6 - 0.6]), "chosen_by_all"
    yield close(fair_gaps(swayed, b), [0.5 - 0.6, 0.6 - 0.6, 0.6 - 0.6]) and close(fair_gaps(noisy, b), [0.3] * 3), "wrong"
    yield close(fair_gaps(swayed, {0.1: [0.5, 0.6, 0.7]}), [0.0, 0.0, -0.1]), "wrong"
