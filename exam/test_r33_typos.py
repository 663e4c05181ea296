"""R33: sixty one-letter mistakes in keys and names, in files and on the command line: all refused, the right word named first."""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from danlu.errors import BAD_INPUT
from exam.harness import run, settle

RECIPE: dict[str, Any] = {
    "model": {"mlp": {"hidden": [16, 16], "dropout": 0.1}},
    "data": "digits",
    "loss": {"cross_entropy": {"label_smoothing": 0.1}},
    "optimizer": {"adamw": {"lr": 0.001, "weight_decay": 0.1}},
    "schedule": {"cosine": {"warmup": 5}},
    "techniques": [{"ema": {"decay": 0.99}}, {"mixup": {"alpha": 0.2}}, {"early_stop": {"patience": 3}}, {"clip": {"max_norm": 1.0}}],
    "precision": "fp32",
    "steps": 20,
    "batch_size": 64,
    "micro_batch_size": 32,
    "metrics": ["accuracy"],
    "seed": 3,
    "device": "cpu",
}  # fmt: skip
SETTINGS = ("optimizer.lr", "optimizer.weight_decay", "model.hidden", "model.dropout", "schedule.warmup", "mixup.alpha",
            "early_stop.patience", "batch_size", "micro_batch_size", "precision", "loss.label_smoothing", "ema.decay")  # fmt: skip
FLAGS = ("--quiet", "--without", "--out", "--json", "--limit", "--accept")
NAMES = ("digits", "breast_cancer", "fashion_mnist", "california_housing")
COMMANDS = ("train", "resume", "evaluate", "checkpoints", "explain", "predict")


def mistaken(word: str, draw: random.Random) -> str:
    """One letter left out, doubled by another, changed, or two swapped; never at the very beginning, and never what it was."""
    while True:
        place = draw.randrange(1, len(word))
        letter = draw.choice(string.ascii_lowercase)
        kind = draw.randrange(4)
        found = (
            word[:place] + word[place + 1 :] if kind == 0
            else word[:place] + letter + word[place:] if kind == 1
            else word[:place] + letter + word[place + 1 :] if kind == 2
            else word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]
        )  # fmt: skip
        if found != word and found[0] == word[0] and len(found) > 1:
            return found


def keys(tree: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every key of a recipe."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        if isinstance(key, str):
            yield (*above, key)
        yield from keys(value, (*above, key))


def with_mistake(tree: Any, path: tuple[Any, ...], wrong: str) -> Any:
    if len(path) == 1:
        return {wrong if key == path[0] else key: value for key, value in tree.items()}
    if isinstance(tree, list):
        return [with_mistake(part, path[1:], wrong) if place == path[0] else part for place, part in enumerate(tree)]
    return {key: with_mistake(value, path[1:], wrong) if key == path[0] else value for key, value in tree.items()}


@pytest.mark.slow
def test_typos(tmp_path: Path) -> None:
    draw = random.Random(0)
    cases: list[tuple[str, str, list[str]]] = []  # the right word, the wrong one, the command
    in_file = [path for path in keys(RECIPE) if len(path[-1]) > 2]
    for number in range(28):
        path = in_file[number % len(in_file)]
        wrong = mistaken(path[-1], draw)
        suffix = ("yaml", "json")[number % 2]
        name = f"{number}.{suffix}"
        (tmp_path / name).write_text(json.dumps(with_mistake(RECIPE, path, wrong), indent=1))
        cases.append((path[-1], wrong, ["train", name]))
    (tmp_path / "right.yaml").write_text(json.dumps(RECIPE))
    for setting in SETTINGS:
        head, dot, field = setting.rpartition(".")
        wrong = mistaken(field, draw)
        cases.append((field, wrong, ["train", "right.yaml", f"{head}{dot}{wrong}=1"]))
    for flag in FLAGS:
        wrong = "--" + mistaken(flag[2:], draw)
        cases.append((flag, wrong, ["train", "right.yaml", wrong]))
    for name in NAMES:
        wrong = mistaken(name, draw)
        cases.append((name, wrong, ["train", wrong]))
    for name in ("mixup", "early_stop", "ghost_norm", "clip"):
        wrong = mistaken(name, draw)
        cases.append((name, wrong, ["train", "right.yaml", "--with", wrong]))
    for name in COMMANDS:
        wrong = mistaken(name, draw)
        cases.append((name, wrong, [wrong, "right.yaml"]))
    assert len(cases) == 60
    assert run("train", "right.yaml", "--out", "right", "--quiet", cwd=tmp_path).code == 0
    failures, first = [], 0
    for right, wrong, words in cases:
        ended = run(*words, "--out", "run", cwd=tmp_path) if "--out" not in words and words[0] == "train" else run(*words, cwd=tmp_path)
        named = re.search(r"did you mean `([^`]+)`", ended.last)
        first += named is not None and right in (named[1], named[1].rpartition(".")[2])
        if ended.code != BAD_INPUT or wrong not in ended.last or (tmp_path / "run").exists():
            failures.append(f"{wrong} for {right}: danlu {' '.join(words)}: exit code {ended.code}: {ended.last}")
        elif named is None or right not in named[1]:
            print(f"another word came first: {right} for {wrong}: {ended.last}")
    if first < 57:
        failures.append(f"the right word came first {first} times only, 57 are asked")
    failures += _types_and_ranges(tmp_path)
    settle("R33", len(cases) + len(WRONG), failures, right_word_first=f"{first} of {len(cases)}")


WRONG = [
    ("steps", "twenty"),
    ("steps", 0),
    ("batch_size", -1),
    ("batch_size", 2.5),
    ("precision", "fp12"),
    ("seed", "x"),
    ("epochs", "many"),
]


def _types_and_ranges(folder: Path) -> list[str]:
    """A wrong type or a value out of range names the key and the line of the file."""
    failures = []
    for number, (key, value) in enumerate(WRONG):
        text = json.dumps({**RECIPE, key: value}, indent=1)
        line = next(place for place, line in enumerate(text.splitlines(), 1) if f'"{key}"' in line)
        name = f"wrong-{number}.yaml"
        (folder / name).write_text(text)
        ended = run("train", name, "--out", "wrong", cwd=folder)
        if ended.code != BAD_INPUT or key not in ended.last or f"{name}:{line}" not in ended.last:
            failures.append(f"{key}: {value!r}: exit code {ended.code}: {ended.last}")
    return failures
