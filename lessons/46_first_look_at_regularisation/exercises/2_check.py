"""Checks dropout by its mean, by what is dropped, and out of training."""

import torch

from danlu.errors import Sentence

HINTS = {
    "in_use_too": Sentence(
        "Numbers are dropped, or scaled, when not training. Then the same image would get another answer each time, or all of them too large a one.",
        "不训练的时候也丢、或者也缩放了。那样的话，同一张图每次答案都不一样，或者全都偏大。",
    ),
    "mean_falls": Sentence(
        "The mean over many draws is too small by the share that was dropped. What must become of those that stay?",
        "多次抽取的平均偏小，小的正是丢掉的那一份。留下来的该怎么办？",
    ),
    "other_share": Sentence(
        "You keep what should be dropped: with a rate of 0.1 nine tenths are gone.",
        "你留下的恰是该丢的：丢弃率 0.1 时，九成都没了。",
    ),
    "over_rate": Sentence(
        "Those that stay have been divided by the rate. What is their share?",
        "留下来的被除以了丢弃率。留下来的占多少？",
    ),
    "in_place": Sentence(
        "x itself has changed. Whoever holds it (the backward pass does) now finds other numbers.",
        "x 本身被改掉了。谁还拿着它（反向传播就是），看到的就成了别的数。",
    ),
    "all_gone": Sentence(
        "At a rate of 1 nothing stays, and nothing may become nan: zero times infinity is no number.",
        "丢弃率为 1 时什么都不留，也不能出现 nan：零乘无穷不是数。",
    ),
}


def check(dropped):
    """On ones and on random numbers."""
    draw = torch.Generator().manual_seed(5)
    x, draws = torch.randn(200, 50, generator=draw), torch.rand(200, 50, generator=draw)
    before = x.clone()
    yield bool(torch.equal(dropped(x.clone(), 0.3, draws, False), before)), "in_use_too"
    found = dropped(x, 0.1, draws, True)
    yield bool(torch.equal(x, before)), "in_place"
    yield bool(torch.equal(found == 0, draws < 0.1)), "other_share"
    ones = dropped(torch.ones(200, 50), 0.25, draws, True)
    yield not torch.allclose(ones.max(), torch.tensor(1.0)), "mean_falls"
    yield bool(torch.allclose(ones.max(), torch.tensor(1 / 0.75))), "over_rate"
    yield bool((dropped(x, 1.0, draws, True) == 0).all()), "all_gone"
