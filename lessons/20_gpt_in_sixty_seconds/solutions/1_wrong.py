"""Answers that are wrong, each by the name of its hint."""

import torch


def _past(scores, diagonal=0):
    return torch.ones_like(scores, dtype=torch.bool).tril(diagonal)


def peeks(scores):
    return scores.softmax(-1)


def only_past(scores):
    return scores.masked_fill(~_past(scores, -1), -torch.inf).softmax(-1)


def zeroed_after(scores):
    return torch.where(_past(scores), scores.softmax(-1), 0.0)


def zero_score(scores):
    return torch.where(_past(scores), scores, 0.0).softmax(-1)


def columns(scores):
    return scores.masked_fill(~_past(scores), -torch.inf).softmax(0)


def no_exponential(scores):
    kept = torch.where(_past(scores), scores.abs(), 0.0)
    return kept / kept.sum(-1, keepdim=True)
