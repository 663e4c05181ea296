"""Answers that are wrong, each by the name of its hint."""

import torch
from torch.nn.functional import one_hot


def shape(logits, labels):
    return (logits.softmax(1)[torch.arange(len(labels)), labels] - 1) / len(labels)


def no_mean(logits, labels):
    return logits.softmax(1) - one_hot(labels, logits.shape[1])


def sign(logits, labels):
    return (one_hot(labels, logits.shape[1]) - logits.softmax(1)) / len(labels)


def no_softmax(logits, labels):
    return (logits - one_hot(labels, logits.shape[1])) / len(labels)


def no_label(logits, labels):
    return logits.softmax(1) / len(labels)


def overflow(logits, labels):
    raised = logits.exp()
    return (raised / raised.sum(1, keepdim=True) - one_hot(labels, logits.shape[1])) / len(labels)


def wrong(logits, labels):
    p = logits.softmax(1)
    error = p - one_hot(labels, logits.shape[1])
    return error * p.max(1, keepdim=True).values / len(labels)
