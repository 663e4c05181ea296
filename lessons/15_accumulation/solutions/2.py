"""Within the parts, and between them."""


def merged(parts: list[tuple[float, float, int]]) -> tuple[float, float]:
    count = sum(n for _, _, n in parts)
    mean = sum(m * n for m, _, n in parts) / count
    return mean, sum(n * (v + (m - mean) ** 2) for m, v, n in parts) / count
