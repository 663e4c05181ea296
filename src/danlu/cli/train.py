"""`danlu train`: trains a recipe in a run folder, shows how far it is, and says what came out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from danlu import find, messages
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.progress import watcher
from danlu.cli.recipe import CHANGES, asked, name_of
from danlu.cli.text import aligned
from danlu.errors import BadInput, say

if TYPE_CHECKING:
    from danlu.core import Recipe
    from danlu.run.train import Result

OUT = Flag("--out", messages.FLAG_OUT, "DIR")
JSON = Flag("--json", messages.FLAG_TRAIN_JSON)
FROM = Flag("--from", messages.FLAG_FROM, "RUN|FILE|hf:NAME")
QUIET = Flag("--quiet", messages.FLAG_QUIET)
ACCEPT = Flag("--accept", messages.FLAG_ACCEPT, "code", many=True)
LIMIT = Flag("--limit", messages.FLAG_LIMIT, "TIME")
NO_CHECK = Flag("--no-check", messages.FLAG_NO_CHECK)
FLAGS = (*CHANGES, FROM, OUT, NO_CHECK, LIMIT, ACCEPT, JSON, QUIET)
COMMAND = Command("train", messages.ABOUT_TRAIN, "RECIPE [field=value ...]", 1, None, FLAGS, messages.QUOTING)


def run(words: list[str], given: Given) -> int:
    began = time.monotonic()  # what is imported from here on, and the data, take from the limit
    return trained(asked(words, given), name_of(words[0]), given["--out"], given, began)


def trained(
    recipe: Recipe, name: str, out: str | Path | None, given: Given, began: float, resume: bool = False, changing: Collection[str] = ()
) -> int:
    """Train with whatever progress the flags ask for, then print the result on standard output. began: when the limit's time did."""
    from danlu.placement.processes import leave, seat
    from danlu.run.train import train

    how: dict[str, Any] = {"name": name, "resume": resume, "start": given.get("--from"), "command": ["danlu", *sys.argv[1:]]}
    how |= {"accept": _accepted(given), "limit": _limit(given, began), "changing": changing}
    how["check"] = not resume and not given["--no-check"]
    follows = seat().rank > 0  # the first of several processes speaks for all
    if given["--quiet"] or follows:
        result = train(recipe, out, **how)
    else:
        with watcher(name) as shown:
            result = train(recipe, out, **how, watchers=[shown], tell=shown.tell)
    leave()  # while all are there: a process that is still connected when its interpreter ends may abort
    if follows:
        return 0
    if given["--json"]:
        print(json.dumps(facts(result), ensure_ascii=False, allow_nan=False))
    else:
        print(said(result, name))
    return 0


def facts(result: Result) -> dict[str, Any]:
    """What a training left, as JSON values. `best` are the validation figures of the step whose weights were tested."""
    return {
        "run": str(result.folder),
        "step": result.step,
        "best_step": result.best_step,
        "best": _best(result),
        "test": result.metrics,
        "report": str(result.folder / "report.html"),
        "picture": str(result.folder / "curves.png"),
    }


def said(result: Result, name: str) -> str:
    """The same for a person, and what to do next."""
    rows = []
    if result.metrics:
        rows.append((say(messages.RESULT_TEST), _figures(result.metrics)))
    if result.best_step is not None:
        rows.append((say(messages.RESULT_BEST), say(messages.RESULT_BEST_STEP, step=result.best_step, figures=_figures(_best(result)))))
    rows += [(say(messages.RESULT_RUN), str(result.folder)), (say(messages.RESULT_REPORT), str(result.folder / "report.html"))]
    rows.append((say(messages.RESULT_PICTURE), str(result.folder / "curves.png")))
    rows.append((say(messages.RESULT_NEXT), f"danlu plot {result.folder} --terminal"))
    if find.lookup("recipe", name):
        rows.append(("", f"danlu init {name} --out my.yaml"))
    return aligned(rows, columns())


def _accepted(given: Given) -> list[str]:
    for word in given["--accept"]:
        if word != "code":
            raise BadInput(messages.ACCEPT_WHAT, found=word)
    return list(given["--accept"])


def _limit(given: Given, began: float) -> float | None:
    """Seconds that are left of it."""
    from danlu.describe.annotations import written
    from danlu.fields import Duration, seconds

    text = given["--limit"]
    if text is None:
        return None
    if (form := written(Duration)) is None or not form.holds(text):
        raise BadInput(messages.LIMIT_WHAT, found=text)
    return seconds(text) - (time.monotonic() - began)


def _best(result: Result) -> dict[str, float | None]:
    from danlu.run import log

    lines = log.read(result.folder / "metrics.jsonl")
    return {key: value for line in lines if line.get("step") == result.best_step for key, value in line.items() if key.startswith("val_")}


def _figures(metrics: dict[str, float | None]) -> str:
    return "  ".join(f"{name} {'-' if value is None else f'{value:.4g}'}" for name, value in metrics.items())
