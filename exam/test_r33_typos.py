"""R33: typos of one edit in keys and names of a file, in settings and in flags are all refused, and the right word comes first.

The typos are drawn: a letter left out, added, changed, or two neighbours swapped. One that makes a right word is drawn again; one that
two right words are as near to counts against danlu when it suggests the other.
"""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from danlu import find
from danlu.cli import evaluate, train
from danlu.describe.annotations import RECIPE, field_types
from danlu.find.names import distance
from exam.files import inside, unclear
from exam.harness import settle, size

RECIPES: dict[str, Any] = {
    "model": {"mlp": {"hidden": [8], "dropout": 0.1}},
    "data": {"digits": {"workers": 0}},
    "loss": {"cross_entropy": {"label_smoothing": 0.1}},
    "optimizer": {"adamw": {"lr": 0.01, "weight_decay": 0.01, "beta1": 0.9, "beta2": 0.99}},
    "schedule": {"cosine": {"warmup": 2}},
    "techniques": [{"early_stop": {"watch": "val_loss", "patience": 3}}, {"ema": {"decay": 0.9}}, {"mixup": {"alpha": 0.2}}],
    "precision": "fp32",
    "batch_size": 32,
    "steps": 10,
    "seed": 3,
}
FLAGS = [flag.name for flag in (*train.COMMAND.flags,)]
SETTINGS = ["optimizer.lr=0.1", "optimizer.weight_decay=0.1", "data.workers=0", "batch_size=16", "seed=2", "steps=4", "epochs=1",
            "model.mlp.dropout=0.1", "ema.decay=0.5", "mixup.alpha=0.3", "precision=fp32", "optimizer=adamw",
            "schedule=cosine"]  # fmt: skip


def mistyped(word: str, draw: random.Random) -> str:
    """The word with one edit; not in its first letter, nor in the dashes before it."""
    first = len(word) - len(word.lstrip("-"))
    place, letter = draw.randrange(first, len(word)), draw.choice(string.ascii_lowercase)
    kind = draw.choice(("leave out", "add", "change", "swap"))
    if kind == "leave out":
        return word[:place] + word[place + 1 :]
    if kind == "add":
        return word[:place] + letter + word[place:]
    if kind == "swap" and place + 1 < len(word):
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word[:place] + letter + word[place + 1 :]


def typo(word: str, known: set[str], draw: random.Random) -> str:
    while (wrong := mistyped(word, draw)) in known or wrong.replace("_", "") == word.replace("_", "") or len(wrong.strip("-")) < 2:
        pass
    return wrong


def keys(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every key in a recipe."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        if isinstance(key, str):
            yield (*path, key)
        yield from keys(value, (*path, key))


def renamed(data: Any, path: tuple[Any, ...], new: str) -> Any:
    if len(path) == 1:
        return {new if key == path[0] else key: value for key, value in data.items()}
    if isinstance(data, list):
        return [renamed(value, path[1:], new) if place == path[0] else value for place, value in enumerate(data)]
    return {key: renamed(value, path[1:], new) if key == path[0] else value for key, value in data.items()}


def known_at(path: tuple[Any, ...]) -> set[str]:
    """The right words where the last key of the path stands."""
    if len(path) == 1:
        return set(RECIPE)
    kind = "technique" if path[0] == "techniques" else path[0]
    depth = 3 if path[0] == "techniques" else 2
    if len(path) == depth:
        return set(find.names(kind))
    return set(field_types(find.find(kind, path[-2]).load()))


def suggested(text: str) -> str:
    found = re.search(r"did you mean `?([^`?]+)`?\?", text, re.IGNORECASE)
    return found[1] if found else ""


@pytest.mark.slow
def test_typos(tmp_path: Path) -> None:
    draw, failures, first, asked, wrong_words = random.Random(33), [], 0, size(60, 240), []
    paths = list(keys(RECIPES))
    for number in range(asked):
        where = ("file", "file", "setting", "flag")[number % 4]
        if where == "file":
            path = draw.choice(paths)
            right, known = path[-1], known_at(path)
            wrong = typo(right, known, draw)
            file = tmp_path / f"{number}.yaml"
            file.write_text(json.dumps(renamed(RECIPES, path, wrong), indent=1))
            words, said = ("train", file.name, "--out", "run"), f"{file.name}:"
        elif where == "setting":
            name, _, value = draw.choice(SETTINGS).partition("=")
            parts = name.split(".")
            place = draw.randrange(len(parts))
            right = parts[place]
            techniques = {"ema", "mixup", "early_stop"}
            known = (set(RECIPE) | techniques | set(find.names("optimizer")) | set(find.names("model"))) if place == 0 else set()
            wrong = typo(right, known | {"mlp"}, draw)
            parts[place] = wrong
            (tmp_path / "right.yaml").write_text(json.dumps(RECIPES, indent=1))
            words, said = ("train", "right.yaml", f"{'.'.join(parts)}={value}", "--out", "run"), wrong
        else:
            flags = [flag.name for flag in draw.choice((train, evaluate)).COMMAND.flags]
            right = draw.choice(flags)
            wrong = typo(right, {*flags, "--lang", "--debug", "--help"}, draw)
            command = "train" if flags == FLAGS else "evaluate"
            words, said = (command, "digits", wrong), wrong
        ended = inside(*words, cwd=tmp_path)
        if bad := unclear(ended, said, wrong):
            failures.append(f"{words}: {bad}")
        found = suggested(ended.text)
        first += found == right or found.split(".")[-1] == right
        if found.split(".")[-1] != right:
            wrong_words.append(f"{wrong} for {right}: {found or ended.text.strip()[:160]} ({distance(wrong, right)})")
    if first < 0.95 * asked:
        failures.append(f"the right word came first {first} times in {asked}: " + "; ".join(wrong_words))
    settle("R33", asked, failures, right_word_first=first, others=wrong_words[:6])


WRONG = [
    ("steps", "ten"), ("steps", 1.5), ("steps", -3), ("steps", True), ("batch_size", 0), ("batch_size", "32"), ("seed", -1), ("seed", None),
    ("optimizer", {"adamw": {"lr": -1}}), ("optimizer", {"adamw": {"lr": "fast"}}), ("optimizer", {"adamw": {"beta1": [0.9]}}),
    ("optimizer", {"adamw": {"beta2": 1.5}}), ("precision", "fp33"), ("precision", 16), ("model", 3), ("model", ["mlp"]),
    ("model", {"mlp": {"dropout": 2}}), ("techniques", "ema"), ("techniques", [{"ema": {"decay": "0.9"}}]), ("schedule", {"cosine": 3}),
]  # fmt: skip


@pytest.mark.slow
def test_wrong_types_and_ranges(tmp_path: Path) -> None:
    """The key and its line are named."""
    failures, chosen = [], WRONG
    for number, (key, value) in enumerate(chosen):
        text = json.dumps({**RECIPES, key: value}, indent=1)
        (tmp_path / f"{number}.yaml").write_text(text)
        lines = text.split("\n")
        begin = next(place for place, line in enumerate(lines, 1) if line.startswith(f' "{key}":'))
        ended = inside("train", f"{number}.yaml", "--out", "run", cwd=tmp_path)
        found = re.search(rf"{number}\.yaml:(\d+)", ended.text)
        end = next((place for place, line in enumerate(lines, 1) if place > begin and re.match(r' "', line)), len(lines))
        if wrong := unclear(ended, key):
            failures.append(f"{key}={value}: {wrong}")
        elif found is None or not begin <= int(found[1]) < end:
            failures.append(f"{key}={value}: another line than {begin}: {ended.text[:200]}")
    settle("R33", len(chosen), failures, wrong_types_and_ranges=len(chosen))
