"""Answers that are wrong, each by the name of its hint."""


def _holds(limits, peak, warmup):
    return all(peak * min(1.0, (step + 1) / (warmup + 1)) <= limit for step, limit in enumerate(limits))


def _first(limits, peak, start=0):
    return next((warmup for warmup in range(start, len(limits)) if _holds(limits, peak, warmup)), -1)


def needs_none(limits, peak):
    return _first(limits, peak, 1)


def peak_alone(limits, peak):
    return next((step for step, limit in enumerate(limits) if limit >= peak), -1)


def ramp_alone(limits, peak):
    for warmup in range(len(limits)):
        if all(peak * (step + 1) / (warmup + 1) <= limits[step] for step in range(warmup + 1)):
            return warmup
    return -1


def one_off(limits, peak):
    for warmup in range(len(limits)):
        if all(peak * min(1.0, (step + 1) / (warmup or 1)) <= limit for step, limit in enumerate(limits)):
            return warmup
    return -1


def no_none(limits, peak):
    found = _first(limits, peak)
    return found if found != -1 or limits[-1] >= peak else len(limits) - 1


def wrong(limits, peak):
    return _first([limit / 2 for limit in limits], peak / 1.9)
