"""Answers that are wrong, each by the name of its hint."""


def plain(p, seen):
    return (p - seen) / (p * (1 - p)), p - seen


def multiplied(p, seen):
    return (p - seen) / (p * (1 - p)) ** 2, (p - seen) * p * (1 - p)


def of_the_data(p, seen):
    by_p = seen / p**2 + (1 - seen) / (1 - p) ** 2
    by_z = seen * (1 - p) ** 2 + (1 - seen) * p**2
    return (p - seen) / (p * (1 - p)) / by_p, (p - seen) / by_z


def same_information(p, seen):
    return p - seen, (p - seen) * p * (1 - p)


def wrong(p, seen):
    return seen - p, (seen - p) / (p * (1 - p))
