"""Names as people write them: the snake-case name of a class, the name nearest to a misspelt one, and sentences inside sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from danlu.errors import Sentence, say

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z].)|(?<=[a-z0-9].)(?=[A-Z][a-z])|(?<=[A-Z][A-Z])(?=[A-Z][a-z])")


class Phrase:
    """A sentence with its values, to stand inside another one: it speaks whatever language is chosen when it is read."""

    def __init__(self, sentence: Sentence, /, **values: Any):
        self.sentence, self.values = sentence, values

    def __str__(self) -> str:
        return say(self.sentence, **self.values)

    __repr__ = __str__


def snake(name: str) -> str:
    """A class name as it is written in recipes: `CrossEntropy` -> `cross_entropy`, `FashionMNIST` -> `fashion_mnist`.

    A capital alone at the end or the start stays with its neighbour: `AdamW` -> `adamw`, `NAdam` -> `nadam`.
    """
    return _WORDS.sub("_", name).lower()


def distance(a: str, b: str) -> int:
    """Edits from `a` to `b`: insert, delete, change a letter, or swap two neighbours (optimal string alignment)."""
    before, row = [], list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that `word` most likely meant, or None when all are far.

    Fewest edits win, then the same letters in another order, then the longest shared runs.

    Case, `-` and `_` do not count: `earlystop` and `Early-Stop` are both `early_stop`.
    """
    import difflib

    plain = _bare(word)

    def far(choice: str) -> tuple[float, bool, float, str]:
        other = _bare(choice)
        ratio = difflib.SequenceMatcher(None, word, choice, autojunk=False).ratio()
        return distance(plain, other), sorted(plain) != sorted(other), -ratio, choice

    best = min(choices, key=far, default=None)
    if best is None:
        return None
    edits, bare = far(best)[0], _bare(best)
    close = edits <= max(1, min(len(plain), len(bare)) // 2 - (len(plain) > 6)) and edits < max(len(plain), len(bare))
    inside = [c for c in choices if len(plain) > 2 and plain in _bare(c)]
    return best if close else min(inside, key=len, default=None)


def _bare(word: str) -> str:
    return word[:100].lower().replace("-", "").replace("_", "").replace(" ", "")
