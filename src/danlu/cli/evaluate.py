"""`danlu evaluate`: measures a trained run on its own held-out rows or on new data."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from danlu import messages
from danlu.cli import folds
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.recipe import CHANGES
from danlu.cli.text import aligned, grid
from danlu.errors import BadInput, say

if TYPE_CHECKING:
    from danlu.core import Run
    from danlu.evaluation.baselines import Baseline
    from danlu.evaluation.intervals import Interval, RowFigures
    from danlu.use.evaluate import Evaluation
    from danlu.use.load import Trained

SPLIT = Flag("--split", messages.FLAG_SPLIT, "val|test")
BASELINES = Flag("--baselines", messages.FLAG_BASELINES)
OUT = Flag("--out", messages.FLAG_EVALUATE_OUT, "DIR")
JSON = Flag("--json", messages.FLAG_EVALUATE_JSON)
COMMAND = Command(
    "evaluate",
    messages.ABOUT_EVALUATE,
    "RUN [data.path=NEW] | RECIPE [field=value ...] --folds N",
    1,
    None,
    (SPLIT, BASELINES, OUT, folds.FOLDS, folds.REPEATS, folds.NESTED, *CHANGES, JSON),
    messages.MORE_EVALUATE,
)


def run(words: list[str], given: Given) -> int:
    if given["--folds"] is not None:
        for flag in ("--split", "--baselines", "--out"):
            if given[flag]:
                raise BadInput(messages.FOLDS_WITH, flag=flag)
        return folds.run(words, given)
    for flag in ("--repeats", "--nested", "--with", "--without"):
        if given[flag]:
            raise BadInput(messages.FOLDS_ALONE, flag=flag)
    path = None
    for word in words[1:]:
        name, equals, path = word.partition("=")
        if name != "data.path" or not equals or not path:
            raise BadInput(messages.EVALUATE_WORD, word=word)
    split = given["--split"] or "test"
    if split not in ("val", "test", "train"):
        raise BadInput(messages.EVALUATE_SPLIT, found=split)
    if path and given["--split"]:
        raise BadInput(messages.EVALUATE_BOTH)
    out = Path(given["--out"]) if given["--out"] else None
    if out is not None and os.path.lexists(out):
        raise BadInput(messages.OUT_EXISTS, path=out)
    from danlu.use.evaluate import evaluate
    from danlu.use.load import load

    trained = load(words[0])
    found = evaluate(trained, path, split)
    beside = _beside(trained, found, path, split) if given["--baselines"] else []
    plain = {"run": str(trained.folder), "step": trained.step, "weights": trained.weights, "data": path or split, **found.plain()}
    plain |= {"baselines": [one.plain() for one in beside]} if given["--baselines"] else {}
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    print(text if given["--json"] else said(found, path or split, beside))
    if out is not None:
        from danlu.use.picture import draw

        try:
            out.mkdir(parents=True)
            (out / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise BadInput(messages.RUN_CANNOT_WRITE, folder=out, reason=error.strerror or error) from error
        for written in [out / "evaluation.json", *draw(found, out, lambda sentence: print(sentence, file=sys.stderr))]:
            if not given["--json"]:
                print(say(messages.WRITTEN, path=written))
    return 0


def _beside(trained: Trained, found: Evaluation, path: str | None, split: str) -> list[Baseline]:
    """Each baseline, fitted on the run's own train rows."""
    from danlu.evaluation.baselines import baselines
    from danlu.use.evaluate import measured_rows, own_rows

    run, rows = measured_rows(trained, path, split)
    made = list(baselines(cast("Run", run), own_rows(trained, "train"), rows, cast("RowFigures", found.figures), trained.seed))
    if not made:
        raise BadInput(messages.BASELINES_NONE, task=trained.facts.task)
    return made


def said(found: Evaluation, data: str, beside: Sequence[Baseline] = ()) -> str:
    """The figures for a person: metrics with their intervals, simple methods beside them, then each class."""
    rows = [(name, figure(value, found.intervals.get(name))) for name, value in found.metrics.items()]
    if found.ece is not None:
        rows.append((say(messages.EVALUATE_ECE), f"{found.ece:.4g}"))
    parts = [say(messages.EVALUATED, rows=found.rows, data=data), aligned(rows, columns()), say(messages.INTERVALS_NOTE)]
    if beside:
        names = [name for name in found.metrics if name != "loss"]
        body = [["", *names], [say(messages.BASELINE_NET), *(figure(found.metrics[name]) for name in names)]]
        for one in beside:
            cells = [f"{figure(one.figures.get(name))} ({signed(one.better.get(name))})" for name in names]
            body.append([say(one.about), *cells])
        parts += [say(messages.BASELINES_HEAD), grid(body)]
    if found.classes:
        head = [say(messages.CLASS_NAME), say(messages.CLASS_PRECISION), say(messages.CLASS_RECALL), "F1", say(messages.CLASS_ROWS)]
        body = [
            [c["class"], *("-" if c[k] is None else f"{c[k]:.3f}" for k in ("precision", "recall", "f1")), str(c["rows"])]
            for c in found.classes
        ]
        parts.append(grid([head, *body]))
    return "\n\n".join(parts)


def figure(value: float | None, ends: Interval | None = None) -> str:
    """`0.872 [0.861, 0.883]`"""
    text = "-" if value is None else f"{value:.4g}"
    return f"{text} [{ends[0]:.4g}, {ends[1]:.4g}]" if ends else text


def signed(ends: Interval | None) -> str:
    """`+0.01 to +0.03`"""
    return "-" if ends is None else f"{ends[0]:+.3g}, {ends[1]:+.3g}"
