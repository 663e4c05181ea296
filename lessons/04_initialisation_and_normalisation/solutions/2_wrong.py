"""Answers that are wrong, each by the name of its hint."""


def over_rows(x, eps):
    return (x - x.mean(0)) / (x.var(0, unbiased=False) + eps).sqrt()


def no_mean(x, eps):
    return x / (x.pow(2).mean(1, keepdim=True) + eps).sqrt()


def no_eps(x, eps):
    return (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True, unbiased=False)


def eps_outside(x, eps):
    return (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True, unbiased=False) + eps)


def unbiased(x, eps):
    return (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True) + eps).sqrt()


def wrong(x, eps):
    centred = x - x.median(1, keepdim=True).values
    return centred / (x.var(1, keepdim=True, unbiased=False) + eps).sqrt() if x.shape[1] > 2 else _right(x, eps)


def _right(x, eps):
    return (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True, unbiased=False) + eps).sqrt()
