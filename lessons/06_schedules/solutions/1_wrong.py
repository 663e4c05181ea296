"""Answers that are wrong, each by the name of its hint."""


def starts_at_zero(step, total, warmup, decay):
    rise = step / warmup if warmup else 1.0
    return min(rise, 1.0, (total - step) / decay if decay else 1.0)


def no_stable(step, total, warmup, decay):
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return (total - step) / (total - warmup)


def one_too_early(step, total, warmup, decay):
    return min((step + 1) / (warmup + 1), 1.0, (total - 1 - step) / decay if decay else 1.0)


def counts_from_the_start(step, total, warmup, decay):
    if step < total - decay:
        return min((step + 1) / (warmup + 1), 1.0)
    return 1 - step / decay if step > total - decay else 1.0


def no_decay(step, total, warmup, decay):
    return min((step + 1) / (warmup + 1), 1.0, (total - step) / (decay or total))


def wrong(step, total, warmup, decay):
    fall = (total - step) / decay if decay else 1.0
    return min((step + 1) / (warmup + 1), 1.0, fall**2)
