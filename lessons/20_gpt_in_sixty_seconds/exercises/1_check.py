"""Checks causal attention on random scores."""

import torch

from danlu.errors import Sentence

HINTS = {
    "peeks": Sentence(
        "Early places take from later ones. Trained like this the loss would fall wonderfully, and the model could say nothing, for in use the future is not there.",
        "前面的位置从后面取了东西。这样训练，损失会降得极漂亮，模型却什么也说不出来，因为使用时未来还不存在。",
    ),
    "only_past": Sentence(
        "A place may take from itself as well. The first one has nothing else, and became nan or nothing here.",
        "一个位置也可以从自己那里取。第一个位置只有自己，在你这里变成了 nan 或什么都没有。",
    ),
    "zeroed_after": Sentence(
        "The later places get nothing, but the rows no longer sum to 1: what was taken from them is lost. When must they be struck out?",
        "后面的位置确实没分到，但各行之和不再是 1：从它们那里拿掉的丢了。应当在什么时候划掉它们？",
    ),
    "zero_score": Sentence(
        "A score of 0 is not the same as none: exp(0) is 1, so later places still get their share. Which score has the exponential 0?",
        "分数为 0 不等于没有：exp(0) 等于 1，后面的位置照样分到一份。哪个分数的指数是 0？",
    ),
    "columns": Sentence(
        "The columns sum to 1, not the rows. Who shares out what: the one that takes, or the one that is taken from?",
        "加起来等于 1 的是列，不是行。是谁在分配：取的一方，还是被取的一方？",
    ),
    "no_exponential": Sentence(
        "The weights are not as the exponentials of the scores; scores may be negative, weights may not.",
        "权重与分数的指数不成正比；分数可以是负的，权重不可以。",
    ),
}


def check(attention):
    """On scores of a fixed generator, some of them negative."""
    scores = torch.randn(6, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = attention(scores.clone())
    ones, past = torch.ones(6, dtype=found.dtype), torch.ones(6, 6, dtype=torch.bool).tril()
    right = scores.masked_fill(~past, -torch.inf).softmax(1)
    close = lambda a, b: bool(torch.allclose(a, b, atol=1e-9))
    yield not close(found, torch.where(past, scores, 0.0).softmax(1)), "zero_score"
    yield bool(found.isfinite().all()) and bool((found.diagonal() > 0).all()), "only_past"
    yield bool((found[~past] == 0).all()), "peeks"
    yield not close(found.sum(0), ones), "columns"
    yield close(found.sum(1), ones), "zeroed_after"
    yield close(found, right), "no_exponential"
