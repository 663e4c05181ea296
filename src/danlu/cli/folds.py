"""`danlu evaluate RECIPE --folds N`: cross-validation, as a person sees it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

from danlu import messages
from danlu.cli.parse import Flag, Given
from danlu.cli.recipe import asked
from danlu.cli.text import grid
from danlu.errors import BadInput, say

if TYPE_CHECKING:
    from danlu.evaluation.cross_validate import CrossValidation, Fold

FOLDS = Flag("--folds", messages.FLAG_FOLDS, "N")
REPEATS = Flag("--repeats", messages.FLAG_REPEATS, "N")
NESTED = Flag("--nested", messages.FLAG_NESTED, "FIELD=V,V", many=True)


def run(words: list[str], given: Given) -> int:
    """Cross-validate the recipe that the words ask for."""
    count, repeats = _number(given, "--folds", 5), _number(given, "--repeats", 1)
    nested = [_nested(word) for word in given["--nested"]]
    recipe = asked(words, given)
    from danlu.evaluation.cross_validate import cross_validate

    def tell(fold: Fold) -> None:
        if not given["--json"]:
            figures = "  ".join(f"{name} {value:.4g}" for name, value in fold.metrics.items() if value is not None)
            number = fold.repeat * count + fold.number + 1
            values = {"number": number, "count": count * repeats, "trained": fold.rows[0], "held": fold.rows[1], "figures": figures}
            print(say(messages.FOLD_DONE, **values), file=sys.stderr, flush=True)

    found = cross_validate(recipe, count, repeats, nested, tell)
    print(json.dumps(found.plain(), ensure_ascii=False, allow_nan=False) if given["--json"] else said(found))
    return 0


def said(found: CrossValidation) -> str:
    rows = [["", *(say(column) for column in messages.FOLDS_COLUMNS)]]
    for name in found.names:
        ends = found.interval(name)
        between = f"[{ends[0]:.4g}, {ends[1]:.4g}]" if ends else "-"
        rows.append([name, *("-" if value is None else f"{value:.4g}" for value in (found.mean(name), found.std(name))), between])
    parts = [say(messages.FOLDS_HEAD, count=len(found.folds)), grid(rows)]
    if any(found.interval(name) for name in found.names):
        parts.append(say(messages.FOLDS_NOTE))
    if chosen := Counter(" ".join(fold.chosen) for fold in found.folds if fold.chosen):
        parts.append(say(messages.FOLDS_CHOSEN, chosen=", ".join(f"{words} ({times})" for words, times in chosen.most_common())))
    return "\n\n".join(parts)


def _number(given: Given, flag: str, default: int) -> int:
    try:
        return default if given[flag] is None else int(given[flag])
    except ValueError as error:
        raise BadInput(messages.FOLDS_NUMBER, flag=flag, found=given[flag]) from error


def _nested(word: str) -> tuple[str, list[str]]:
    name, equals, values = word.partition("=")
    if not name or not equals or not all(values.split(",")):
        raise BadInput(messages.NESTED_FORM, found=word)
    return name, values.split(",")
