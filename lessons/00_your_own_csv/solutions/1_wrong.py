"""Answers that are wrong, each by the name of its hint."""

import hashlib
import random


def _part(text, share):
    return "test" if int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64 < share else "train"


def not_words(rows, target, share):
    return ["test"] * int(share * len(rows))


def chance(rows, target, share):
    return ["test" if random.random() < share else "train" for _ in rows]


def place(rows, target, share):
    return ["test" if number < share * len(rows) else "train" for number, _ in enumerate(rows)]


def target(rows, target, share):
    return [_part("|".join(row[name] for name in sorted(row)), share) for row in rows]


def order(rows, target, share):
    return [_part("|".join(value for name, value in row.items() if name != target), share) for row in rows]


def joined(rows, target, share):
    return [_part("".join(row[name] for name in sorted(row) if name != target), share) for row in rows]


def share(rows, target, share):
    return [_part("|".join(row[name] for name in sorted(row) if name != target), 0.5) for row in rows]
