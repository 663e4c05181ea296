"""Back to sums, then one division."""


def step_loss(parts: list[tuple[float, int]]) -> float:
    counted = sum(count for _, count in parts)
    return sum(mean * count for mean, count in parts if count) / counted if counted else 0.0
