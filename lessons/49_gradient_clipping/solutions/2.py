"""The pull grows with w, so halve the stretch in which it changes its sign."""


def resting_at(rows: list[float], limit: float) -> float:
    low, high = min(rows), max(rows)
    for _ in range(100):
        w = (low + high) / 2
        if sum(max(-limit, min(limit, w - y)) for y in rows) < 0:
            low = w
        else:
            high = w
    return high
