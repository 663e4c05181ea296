"""Answers that are wrong, each by the name of its hint."""

import math


def _stopped(losses, patience):
    best, lowest = 0, math.inf
    for place, loss in enumerate(losses):
        if loss < lowest:
            best, lowest = place, loss
        elif place - best > patience:
            return best, place
    return best, len(losses) - 1


def keeps_last(losses, patience):
    _, ended = _stopped(losses, patience)
    return ended, ended


def not_patient(losses, patience):
    return _stopped(losses, patience - 1)


def beside_last(losses, patience):
    best, waited = 0, 0
    for place in range(1, len(losses)):
        if losses[place] < losses[place - 1]:
            best, waited = place, 0
        else:
            waited += 1
            if waited > patience:
                return best, place
    return best, len(losses) - 1


def never_resets(losses, patience):
    best, lowest, waited = 0, math.inf, 0
    for place, loss in enumerate(losses):
        if loss < lowest:
            best, lowest = place, loss
        else:
            waited += 1
            if waited > patience:
                return best, place
    return best, len(losses) - 1


def lowest_of_all(losses, patience):
    return losses.index(min(losses)), _stopped(losses, patience)[1]


def nan_is_best(losses, patience):
    best = 0
    for place, loss in enumerate(losses):
        if loss < losses[best]:
            best = place
        elif place - best > patience:
            return best, place
    return best, len(losses) - 1
