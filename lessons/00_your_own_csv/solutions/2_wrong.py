"""Answers that are wrong, each by the name of its hint."""

import torch


def _by(rows, like):
    deviation = like.std(0, correction=0)
    return (rows - like.mean(0)) / torch.where(deviation > 0, deviation, 1.0)


def own_statistics(train, test):
    return _by(train, train), _by(test, test)


def both_together(train, test):
    both = torch.cat([train, test])
    return _by(train, both), _by(test, both)


def rows_not_columns(train, test):
    one = lambda rows: (rows - rows.mean(1, keepdim=True)) / rows.std(1, keepdim=True, correction=0)
    return one(train), one(test)


def one_scale(train, test):
    return (train - train.mean()) / train.std(), (test - train.mean()) / train.std()


def divides_by_zero(train, test):
    mean, deviation = train.mean(0), train.std(0, correction=0)
    return (train - mean) / deviation, (test - mean) / deviation


def n_minus_one(train, test):
    mean, deviation = train.mean(0), train.std(0).clamp(min=1e-12)
    return (train - mean) / deviation, (test - mean) / deviation


def wrong(train, test):
    low, high = train.min(0).values, train.max(0).values
    return (train - low) / (high - low).clamp(min=1e-12), (test - low) / (high - low).clamp(min=1e-12)
