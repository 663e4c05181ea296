"""`danlu find lr RECIPE`, `danlu find batch RECIPE`: numbers to begin with, with their spread over seeds and a picture."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import asdict
from math import inf
from statistics import geometric_mean
from typing import TYPE_CHECKING, Any

from danlu import messages
from danlu.cli.chosen import JSON
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.progress import draws
from danlu.cli.recipe import CHANGES, asked
from danlu.cli.text import wrapped
from danlu.errors import BadInput, NoMemory, say

if TYPE_CHECKING:
    from danlu.core import Recipe
    from danlu.finders.learning_rate import Trace
    from danlu.finders.micro_batch import Fit
    from danlu.finders.noise_scale import Course, Noise

SEEDS = Flag("--seeds", messages.FLAG_FIND_SEEDS, "N")
STEPS = Flag("--steps", messages.FLAG_FIND_STEPS, "N")
LOW = Flag("--low", messages.FLAG_FIND_LOW, "RATE")
HIGH = Flag("--high", messages.FLAG_FIND_HIGH, "RATE")
POINTS = Flag("--points", messages.FLAG_FIND_POINTS, "N")
ROWS = Flag("--rows", messages.FLAG_FIND_ROWS, "N")
MEMORY = Flag("--memory", messages.FLAG_FIND_MEMORY, "GB")
OUT = Flag("--out", messages.FLAG_FIND_OUT, "FILE")
FLAGS = (SEEDS, STEPS, LOW, HIGH, POINTS, ROWS, MEMORY, OUT, JSON, *CHANGES)
COMMAND = Command("find", messages.ABOUT_FIND, "lr|batch RECIPE [field=value ...]", 2, None, FLAGS, messages.MORE_FIND)
ONLY = {"lr": ("--low", "--high"), "batch": ("--points", "--rows", "--memory")}
GB = 10**9


def run(words: list[str], given: Given) -> int:
    what, words = words[0], words[1:]
    if what not in ONLY:
        raise BadInput(messages.FIND_WHAT, found=what)
    for flag in (flag for other, flags in ONLY.items() if other != what for flag in flags):
        if given[flag] is not None:
            raise BadInput(messages.FIND_FLAG, flag=flag, what=what)
    return (_rate if what == "lr" else _batch)(words, given)


def _rate(words: list[str], given: Given) -> int:
    seeds, steps = int(_number(given, "--seeds", 3)), int(_number(given, "--steps", 200))
    low, high = _number(given, "--low", 1e-6), _number(given, "--high", 10.0)
    if low >= high:
        raise BadInput(messages.FIND_ORDER, low=low, high=high)
    recipe = asked(words, given)
    from danlu.finders import draw, learning_rate

    traces = list(learning_rate.range_tests(recipe, range(recipe.seed, recipe.seed + seeds), low, high, steps))
    found = facts(traces)
    if given["--out"]:
        found["picture"] = str(draw.range_tests(traces, found["lr"], given["--out"], _tell))
    if given["--json"]:
        print(json.dumps(found, allow_nan=False))
        return 0
    print(draw.terminal(traces, columns(), draws(sys.stdout)))
    print()
    print(say(messages.FOUND_LR, rate=found["lr"]))
    print(say(messages.FOUND_LR_SPREAD, seeds=seeds, low=found["low"], high=found["high"], start=found["start"], end=found["end"]))
    print(say(messages.FIND_NEXT, words=_again(words, given), rate=found["lr"]))
    if given["--out"]:
        print(say(messages.WRITTEN, path=found["picture"]))
    return 0


def facts(traces: list[Trace]) -> dict[str, Any]:
    """The suggestion (geometric mean over seeds), its lowest and highest, and between which rates the loss falls."""
    rates = [trace.suggestion for trace in traces]
    ends = {"start": geometric_mean(trace.start for trace in traces), "end": geometric_mean(trace.end for trace in traces)}
    return {"lr": geometric_mean(rates), "low": min(rates), "high": max(rates), **ends, "seeds": [trace.seed for trace in traces]}


def _batch(words: list[str], given: Given) -> int:
    seeds, steps = int(_number(given, "--seeds", 3)), int(_number(given, "--steps", 200))
    points, rows = int(_number(given, "--points", 6)), int(_number(given, "--rows", 1024))
    free = int(_number(given, "--memory", 1) * GB) if given["--memory"] is not None else None
    recipe = asked(words, given)
    from danlu.core import Run
    from danlu.finders import draw, micro_batch, noise_scale

    found = list(noise_scale.courses(recipe, range(recipe.seed, recipe.seed + seeds), points, steps, rows))
    noise = noise_scale.together(found)
    with Run(recipe) as run:
        batch = noise_scale.useful(noise, run.plan.rows)
        fit = micro_batch.largest(run, max(batch, recipe.batch_size), free)
    if fit.rows == 0:
        raise NoMemory(messages.FIND_BATCH_MEMORY)
    picture = str(draw.noise_scales(found, noise, batch, recipe.batch_size, given["--out"], _tell)) if given["--out"] else None
    if given["--json"]:
        plain = {"batch_size": batch, "noise": asdict(noise), "micro_batch": asdict(fit), "seeds": [_course(one) for one in found]}
        print(json.dumps(plain | ({"picture": picture} if picture else {}), allow_nan=False))
        return 0
    print(draw.terminal_noise(found, columns(), draws(sys.stdout)))
    print()
    kept = [word for word in words if word.partition("=")[0] not in ("batch_size", "micro_batch_size")]
    for line in _said(recipe, batch, noise, fit, found, steps, _again(kept, given)):
        print("\n".join(wrapped(line, columns())))
    if picture:
        print(say(messages.WRITTEN, path=picture))
    return 0


def _said(recipe: Recipe, batch: int, noise: Noise, fit: Fit, found: list[Course], steps: int, words: str) -> list[str]:
    from danlu.explain import in_bytes

    spread = messages.FOUND_BATCH_NOISE if len(found) > 1 else messages.FOUND_BATCH_ONE
    micro = say(messages.FOUND_MICRO_WHOLE if fit.whole else messages.FOUND_MICRO, rows=fit.rows)
    if fit.taken is not None and fit.free is not None:
        micro += say(messages.EXPLAIN_COMMA) + say(messages.FOUND_MICRO_MEMORY, taken=in_bytes(fit.taken), free=in_bytes(fit.free))
    settings = f"batch_size={batch}" + (f" micro_batch_size={fit.rows}" if fit.rows < batch else "")
    return [
        say(messages.FOUND_BATCH, rows=batch),
        say(spread, **{name: _rows(value) for name, value in asdict(noise).items()}, seeds=len(found), steps=steps),
        say(messages.FOUND_BATCH_MEANS),
        micro,
        *([say(messages.FIND_NEXT_BATCH, words=words, settings=settings)] if batch != recipe.batch_size else []),
    ]


def _rows(count: float) -> str:
    return f"{count:,.0f}" if count >= 10 else f"{count:.2g}"


def _course(one: Course) -> dict[str, Any]:
    """A seed's points, with null for a scale that cannot be told."""
    points = [{**asdict(point), "scale": point.scale if point.scale == point.scale else None} for point in one.points]
    return {"seed": one.seed, "scale": one.scale, "points": points}


def _again(words: list[str], given: Given) -> str:
    """The recipe and its changes, as they were asked for."""
    return shlex.join([*words, *(word for flag in ("--with", "--without") for value in given[flag] for word in (flag, value))])


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _number(given: Given, flag: str, default: float) -> float:
    text = given[flag]
    try:
        value = default if text is None else float(text)
    except ValueError:
        value = -1.0
    whole = flag in ("--seeds", "--steps", "--points", "--rows")
    if not 0 < value < inf or (whole and value != int(value)):
        raise BadInput(messages.FIND_NUMBER, flag=flag, found=text)
    return value
