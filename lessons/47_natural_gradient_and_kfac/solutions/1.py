"""The information is 1 / (p (1 - p)) about p and p (1 - p) about the logit."""


def natural_gradients(p: float, seen: float) -> tuple[float, float]:
    return p - seen, (p - seen) / (p * (1 - p))
