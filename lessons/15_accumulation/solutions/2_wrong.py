"""Answers that are wrong, each by the name of its hint."""


def _mean(parts):
    return sum(m * n for m, _, n in parts) / sum(n for _, _, n in parts)


def unweighted(parts):
    mean = sum(m for m, _, _ in parts) / len(parts)
    return mean, sum(v + (m - mean) ** 2 for m, v, _ in parts) / len(parts)


def between_lost(parts):
    return _mean(parts), sum(n * v for _, v, n in parts) / sum(n for _, _, n in parts)


def deviations(parts):
    mean, count = _mean(parts), sum(n for _, _, n in parts)
    return mean, (sum(n * (v + (m - mean) ** 2) ** 0.5 for m, v, n in parts) / count) ** 2


def negative(parts):
    mean, count = _mean(parts), sum(n for _, _, n in parts)
    return mean, sum(n * (v + m**2) for m, v, n in parts) / count - mean**2


def unbiased(parts):
    mean, count = _mean(parts), sum(n for _, _, n in parts)
    return mean, sum(n * (v + (m - mean) ** 2) for m, v, n in parts) / (count - 1)


def wrong(parts):
    mean, count = _mean(parts), sum(n for _, _, n in parts)
    return mean, sum(n * (v + abs(m - mean)) for m, v, n in parts) / count
