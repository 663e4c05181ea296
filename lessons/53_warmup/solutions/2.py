"""Try them from the shortest on."""


def shortest_warmup(limits: list[float], peak: float) -> int:
    for warmup in range(len(limits)):
        rates = [peak * min(1.0, (step + 1) / (warmup + 1)) for step in range(len(limits))]
        if all(rate <= limit for rate, limit in zip(rates, limits)):
            return warmup
    return -1
