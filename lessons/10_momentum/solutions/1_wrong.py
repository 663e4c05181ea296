"""Answers that are wrong, each by the name of its hint."""


def as_written(lr, momentum, dampening):
    return lr


def shrunk(lr, momentum, dampening):
    return lr * (1 - momentum)


def added(lr, momentum, dampening):
    return lr * (1 + momentum)


def dampening_ignored(lr, momentum, dampening):
    return lr / (1 - momentum)


def wrong(lr, momentum, dampening):
    return lr / (1 - momentum) - lr * dampening
