"""Inputs that become more need a rate that becomes less; and what is not to shrink by chance alone must start smaller."""


def scaled(kind: str, times: float) -> tuple[float, float]:
    if kind == "hidden":
        return 1.0, 1 / times
    if kind == "last":
        return times**-0.5, 1 / times
    return 1.0, 1.0
