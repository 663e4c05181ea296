"""Answers that are wrong, each by the name of its hint."""


def mean_of_means(parts):
    means = [mean for mean, count in parts if count]
    return sum(means) / len(means) if means else 0.0


def sum_of_means(parts):
    return sum(mean for mean, count in parts if count)


def not_a_number(parts):
    counted = sum(count for _, count in parts)
    return sum(mean * count for mean, count in parts) / counted if counted else 0.0


def empty_step(parts):
    counted = sum(count for _, count in parts)
    return sum(mean * count for mean, count in parts if count) / counted if counted else float("nan")


def counts_empty_parts(parts):
    return sum(mean * count for mean, count in parts if count) / sum(max(count, 1) for _, count in parts)


def wrong(parts):
    counted = sum(count**2 for _, count in parts)
    return sum(mean * count**2 for mean, count in parts if count) / counted if counted else 0.0
