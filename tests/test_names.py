"""Snake-case names, edit distance, and the nearest name."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.find.names import distance, nearest, snake


@pytest.mark.parametrize(
    "name, expected",
    [
        ("AdamW", "adamw"), ("CrossEntropy", "cross_entropy"), ("KFAC", "kfac"), ("ReduceOnPlateau", "reduce_on_plateau"), ("MSE", "mse"),
        ("BitsPerByte", "bits_per_byte"), ("FashionMNIST", "fashion_mnist"), ("CIFAR10", "cifar10"), ("Adult", "adult"), ("NAdam", "nadam"),
        ("ViT", "vit"), ("R2", "r2"), ("GaussianNLL", "gaussian_nll"), ("EarlyStop", "early_stop"), ("EMA", "ema"),
    ],
)  # fmt: skip
def test_snake(name: str, expected: str) -> None:
    assert snake(name) == expected


@pytest.mark.parametrize("a, b, edits", [("", "", 0), ("abc", "acb", 1), ("abc", "abcd", 1), ("ca", "abc", 3), ("kitten", "sitting", 3)])
def test_distance_of_known_pairs(a: str, b: str, edits: int) -> None:
    assert distance(a, b) == edits  # ("ca", "abc") is the case where optimal string alignment differs from Damerau-Levenshtein


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_distance_is_symmetric_and_bounded(a: str, b: str) -> None:
    assert distance(a, b) == distance(b, a) <= max(len(a), len(b))
    assert (distance(a, b) == 0) == (a == b)


def test_nearest_forgives_case_and_separators_and_rejects_what_is_far() -> None:
    known = ["early_stop", "ema", "mixup", "clip"]
    assert nearest("EarlyStop", known) == "early_stop"
    assert nearest("mix-up", known) == "mixup"
    assert nearest("warmup_cosine", known) is None
    assert nearest("x", []) is None


def one_edit(word: str, draw: random.Random) -> str:
    """The word with one letter dropped, doubled by a neighbour, changed, or two swapped."""
    while True:
        at = draw.randrange(len(word))
        letter = draw.choice(string.ascii_lowercase)
        found = draw.choice(
            [
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
            ]
        )
        if found and found != word:
            return found


def test_nineteen_of_twenty_one_edit_typos_of_long_names_are_understood() -> None:
    known = [
        "optimizer",
        "schedule",
        "techniques",
        "placement",
        "precision",
        "epochs",
        "steps",
        "batch_size",
        "micro_batch_size",
        "metrics",
    ]
    draw = random.Random(0)
    words = [draw.choice(known) for _ in range(400)]
    right = sum(nearest(one_edit(word, draw), known) == word for word in words)
    assert right >= 396
