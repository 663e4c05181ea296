"""Half of the squares come through whole, the other half times the slope squared."""


def start_deviation(shape: tuple[int, int], slope: float) -> float:
    kept = (1 + slope**2) / 2
    return (1 / (kept * shape[1])) ** 0.5
