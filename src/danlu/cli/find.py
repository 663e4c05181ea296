"""`danlu find lr RECIPE`: a learning rate to begin with, with its spread over seeds and a picture."""

from __future__ import annotations

import json
import shlex
import sys
from math import inf
from statistics import geometric_mean
from typing import TYPE_CHECKING, Any

from danlu import messages
from danlu.cli.chosen import JSON
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.progress import draws
from danlu.cli.recipe import CHANGES, asked
from danlu.errors import BadInput, say

if TYPE_CHECKING:
    from danlu.finders.learning_rate import Trace

SEEDS = Flag("--seeds", messages.FLAG_FIND_SEEDS, "N")
STEPS = Flag("--steps", messages.FLAG_FIND_STEPS, "N")
LOW = Flag("--low", messages.FLAG_FIND_LOW, "RATE")
HIGH = Flag("--high", messages.FLAG_FIND_HIGH, "RATE")
OUT = Flag("--out", messages.FLAG_FIND_OUT, "FILE")
FLAGS = (SEEDS, STEPS, LOW, HIGH, OUT, JSON, *CHANGES)
COMMAND = Command("find", messages.ABOUT_FIND, "lr RECIPE [field=value ...]", 2, None, FLAGS, messages.MORE_FIND)


def run(words: list[str], given: Given) -> int:
    what, words = words[0], words[1:]
    if what != "lr":
        raise BadInput(messages.FIND_WHAT, found=what)
    seeds, steps = int(_number(given, "--seeds", 3)), int(_number(given, "--steps", 200))
    low, high = _number(given, "--low", 1e-6), _number(given, "--high", 10.0)
    if low >= high:
        raise BadInput(messages.FIND_ORDER, low=low, high=high)
    recipe = asked(words, given)
    from danlu.finders import draw, learning_rate

    traces = list(learning_rate.range_tests(recipe, range(recipe.seed, recipe.seed + seeds), low, high, steps))
    found = facts(traces)
    if given["--out"]:
        found["picture"] = str(draw.range_tests(traces, found["lr"], given["--out"], lambda sentence: print(sentence, file=sys.stderr)))
    if given["--json"]:
        print(json.dumps(found, allow_nan=False))
        return 0
    print(draw.terminal(traces, columns(), draws(sys.stdout)))
    print()
    print(say(messages.FOUND_LR, rate=found["lr"]))
    print(say(messages.FOUND_LR_SPREAD, seeds=seeds, low=found["low"], high=found["high"], start=found["start"], end=found["end"]))
    chosen = [word for flag in ("--with", "--without") for value in given[flag] for word in (flag, value)]
    print(say(messages.FIND_NEXT, words=shlex.join([*words, *chosen]), rate=found["lr"]))
    if given["--out"]:
        print(say(messages.WRITTEN, path=found["picture"]))
    return 0


def facts(traces: list[Trace]) -> dict[str, Any]:
    """The suggestion (geometric mean over seeds), its lowest and highest, and between which rates the loss falls."""
    rates = [trace.suggestion for trace in traces]
    ends = {"start": geometric_mean(trace.start for trace in traces), "end": geometric_mean(trace.end for trace in traces)}
    return {"lr": geometric_mean(rates), "low": min(rates), "high": max(rates), **ends, "seeds": [trace.seed for trace in traces]}


def _number(given: Given, flag: str, default: float) -> float:
    text = given[flag]
    try:
        value = default if text is None else float(text)
    except ValueError:
        value = -1.0
    whole = flag in ("--seeds", "--steps")
    if not 0 < value < inf or (whole and value != int(value)):
        raise BadInput(messages.FIND_NUMBER, flag=flag, found=text)
    return value
