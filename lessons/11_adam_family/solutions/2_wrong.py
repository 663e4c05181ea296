"""Answers that are wrong, each by the name of its hint."""


def kept(lr, decay, steps, new_lr, new_steps):
    return decay


def wrong_way(lr, decay, steps, new_lr, new_steps):
    return decay * new_lr / lr


def steps_ignored(lr, decay, steps, new_lr, new_steps):
    return decay * lr / new_lr


def small_only(lr, decay, steps, new_lr, new_steps):
    return decay * lr * steps / (new_lr * new_steps)


def wrong(lr, decay, steps, new_lr, new_steps):
    return decay * (lr / new_lr) ** 0.5 * steps / new_steps
