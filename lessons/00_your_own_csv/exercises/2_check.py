"""Checks scaling on tables whose answers can be worked out by hand."""

import torch

from danlu.errors import Sentence

HINTS = {
    "own_statistics": Sentence(
        "You scale the test rows by their own mean and deviation. A single new row would have a deviation of 0; and a test set that has moved would look as if it had not.",
        "你用测试行自己的均值和标准差去缩放它们。如果只来一行，标准差就是 0；而且测试集整体偏移了，也会看不出来。",
    ),
    "both_together": Sentence(
        "When only the test rows change, your train rows change too: the test has leaked into training. Which rows are known at that time?",
        "只改动测试行，你的训练行也跟着变：测试集泄漏进了训练。训练的时候，已知的是哪些行？",
    ),
    "rows_not_columns": Sentence(
        "Each row has been brought to mean 0, not each column. A litre of sugar and a gram of salt should not share a scale.",
        "你把每一行变成了均值 0，而不是每一列。不同的量不该共用一个尺度。",
    ),
    "one_scale": Sentence(
        "One mean and one deviation for the whole table leave its columns as unequal as they were.",
        "整张表只用一个均值和一个标准差，各列还是和原来一样悬殊。",
    ),
    "divides_by_zero": Sentence(
        "A column that is constant in train has become inf or nan. Its deviation is 0: what may you divide by instead?",
        "在训练行里是常数的列变成了 inf 或 nan。它的标准差是 0：可以改除以什么？",
    ),
    "n_minus_one": Sentence(
        "The deviation of the scaled train rows is not 1 when n rows divide the sum of squares. Which deviation does torch's std give unless told otherwise?",
        "平方和除以 n 的话，你缩放后训练行的标准差不是 1。torch 的 std 默认给出的是哪一种标准差？",
    ),
    "wrong": Sentence(
        "The scaled train rows do not have mean 0 and deviation 1 in each column.",
        "缩放后的训练行，不是每列均值 0、标准差 1。",
    ),
}


def check(scaled):
    """Columns of very different sizes; other test rows; one test row; a constant column."""
    draw = torch.Generator().manual_seed(3)
    train = torch.randn(50, 3, generator=draw, dtype=torch.float64) * torch.tensor([1.0, 100.0, 0.01]) + torch.tensor([5.0, -300.0, 0.2])
    test = torch.randn(20, 3, generator=draw, dtype=torch.float64) * torch.tensor([1.0, 100.0, 0.01]) + torch.tensor([9.0, 0.0, 0.3])
    here, there = scaled(train.clone(), test.clone())
    moved, _ = scaled(train.clone(), test + 1000.0)
    yield bool(torch.allclose(here, moved)), "both_together"
    yield not torch.allclose(here.mean(1), torch.zeros(50, dtype=here.dtype), atol=1e-6), "rows_not_columns"
    yield bool(here.std(0).max() < 3 * here.std(0).min()), "one_scale"
    yield not torch.allclose(here.std(0), torch.ones(3, dtype=here.dtype), atol=1e-9), "n_minus_one"
    right = (train - train.mean(0)) / train.std(0, correction=0)
    yield bool(torch.allclose(here, right)), "wrong"
    yield bool(torch.allclose(there, (test - train.mean(0)) / train.std(0, correction=0))), "own_statistics"
    constant = torch.cat([train, torch.full((50, 1), 7.0, dtype=train.dtype)], 1)
    flat, also = scaled(constant, constant[:5].clone())
    yield bool(flat.isfinite().all() and also.isfinite().all() and (flat[:, 3] == 0).all()), "divides_by_zero"
