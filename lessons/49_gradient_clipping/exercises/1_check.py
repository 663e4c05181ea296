"""Checks a step's gradient on vectors whose lengths are whole numbers."""

import math

from danlu.errors import Sentence

HINTS = {
    "not_clipped": Sentence(
        "This gradient is five long and the limit is one. Yours comes out as long as it was.",
        "这个梯度的长度是五，上限是一，你的结果却和原来一样长。",
    ),
    "stretched": Sentence(
        "This gradient is shorter than the limit, and you made it longer. What is a limit for?",
        "这个梯度比上限短，你却把它拉长了。上限是干什么用的？",
    ),
    "by_value": Sentence(
        "Your gradient points elsewhere than the one you were given. Only its length may change.",
        "你的梯度方向变了。能变的只有长度。",
    ),
    "before_unscaling": Sentence(
        "With a loss scale of 1,024 the step is a thousand times too short. What did you compare with the limit: the gradient, or the gradient times 1,024?",
        "损失缩放为 1024 时，这一步短了上千倍。你拿去和上限比的是梯度，还是梯度乘以 1024？",
    ),
    "each_part": Sentence(
        "Here one micro-batch is long and three are short, and their mean is within the limit: nothing should happen. Which norm did you look at?",
        "这里一个微批很长、三个很短，平均之后没有超过上限，本该什么都不变。你看的是谁的范数？",
    ),
    "before_dividing": Sentence(
        "The mean of this step is within the limit and should stay as it is; the sum over its rows is not. What does the limit belong to?",
        "这一步的平均没有超过上限，应当原样不动；超过的是各行之和。上限管的是哪一个？",
    ),
    "mean_of_means": Sentence(
        "These micro-batches have different numbers of rows, and you count each of them alike. There is one division, by all rows of the step.",
        "这些微批的行数不同，你却让它们分量相同。除法只有一次，除以整步的总行数。",
    ),
}


def close(found, wanted) -> bool:
    return len(found) == len(wanted) and all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9) for a, b in zip(found, wanted))


def check(step_gradient):
    """One trap after the other."""
    one = step_gradient([[3.0, 4.0]], [1], 1.0, 1.0)
    yield not close(one, [3.0, 4.0]), "not_clipped"
    yield not close(step_gradient([[0.3, 0.4]], [1], 1.0, 1.0), [0.6, 0.8]), "stretched"
    yield close(one, [0.6, 0.8]), "by_value"
    yield close(step_gradient([[3072.0, 4096.0]], [1], 1024.0, 1.0), [0.6, 0.8]), "before_unscaling"
    yield close(step_gradient([[8.0, 0.0]], [16], 1.0, 1.0), [0.5, 0.0]), "before_dividing"
    yield close(step_gradient([[2.8, 0.0], [0.4, 0.0], [0.4, 0.0], [0.4, 0.0]], [1, 1, 1, 1], 1.0, 1.0), [1.0, 0.0]), "each_part"
    yield close(step_gradient([[6.0, 0.0], [0.0, 1.0]], [3, 1], 1.0, 10.0), [1.5, 0.25]), "mean_of_means"
