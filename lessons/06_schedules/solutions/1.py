"""Whichever of the three is lowest."""


def wsd_factor(step: int, total: int, warmup: int, decay: int) -> float:
    rise = (step + 1) / (warmup + 1)
    fall = (total - step) / decay if decay else 1.0
    return min(rise, 1.0, fall)
