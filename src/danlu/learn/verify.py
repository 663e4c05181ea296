"""Whether a lesson still tells the truth: what CI runs, and refuses a lesson for.

Its lint, its exercises, and, where something its figures follow from has changed, the lesson itself: figures and verdicts must be as
recorded, within their intervals, and with no verdict turned round at p < 0.01.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.describe import user_file
from danlu.errors import BadInput, Trouble
from danlu.find.names import Phrase
from danlu.learn import measure
from danlu.learn.exercise import LEAST_WRONG, Exercise
from danlu.learn.lesson import Lesson

FLIP = 0.01
SAME = 1e-6  # figures nearer to one another than this are rounding


def stale(lesson: Lesson) -> bool:
    """Whether the lesson's code, the part of danlu it computes with, or torch is another than when its results were recorded."""
    import torch

    from danlu.find import computing
    from danlu.study.results import digest

    kept = lesson.results.tables.get("lesson", {})
    now = [digest(lesson.own_files), computing.digest(lesson.code), torch.__version__.partition("+")[0]]
    return [lesson.results.inputs, kept.get("computing"), kept.get("torch")] != now


def own_files_changed(lesson: Lesson) -> bool:
    """Whether lesson.py or claims.yaml are others than those that the results were recorded with."""
    from danlu.study.results import digest

    return bool(lesson.results.inputs != digest(lesson.own_files))


def exercises(lesson: Lesson) -> Iterator[Phrase]:
    for each in lesson.exercises:
        yield from exercise(each)


def exercise(each: Exercise) -> Iterator[Phrase]:
    """The stub must not be written yet, the solution must pass, and each wrong answer must get the hint that it is named for."""
    stub = each.check_file(each.stub)
    if stub.right or stub.said is not messages.EXERCISE_NOT_YET:
        yield Phrase(messages.VERIFY_STUB, id=each.id)
    if not (solution := each.check_file(each.solution)).right:
        yield Phrase(messages.VERIFY_SOLUTION, id=each.id, hint=solution)
    wrong = each.wrong_answers()
    if len(wrong) < LEAST_WRONG:
        yield Phrase(messages.VERIFY_FEW_WRONG, id=each.id, least=LEAST_WRONG, found=len(wrong))
    for name, function in wrong.items():
        answer = each.check(function)
        if answer.hint != name:
            said = "✓" if answer.right else answer.hint or str(answer)
            yield Phrase(messages.VERIFY_WRONG, id=each.id, name=name, found=said)
    for name in each.hints:
        if name not in wrong:
            yield Phrase(messages.VERIFY_HINT_UNUSED, id=each.id, name=name)


def rerun(lesson: Lesson, seeds: int = measure.SEEDS) -> Iterator[Phrase]:
    """Measure it again, offline, and compare; the budgets hold for the usual number of seeds."""
    from danlu.study.results import Results

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        try:
            cost = measure.run(lesson, out, seeds, offline=True)
        except BadInput as error:
            yield Phrase(error.sentence, **error.values)
            return
        yield from compared(lesson.results, Results.read(out / "results.json"))
    yield from redrawn(lesson)
    if seeds <= measure.SEEDS:
        yield from over_budget(lesson, cost)


def redrawn(lesson: Lesson) -> Iterator[Phrase]:
    """Draw the recorded results again: the same pictures, byte for byte where matplotlib is the same."""
    same = lesson.results.tables.get("lesson", {}).get("matplotlib") == metadata.version("matplotlib")
    with tempfile.TemporaryDirectory() as folder:
        user_file.load(f"{lesson.code}:pictures")(lesson.results, Path(folder))
        drawn = {path.name: path.read_bytes() for path in Path(folder).glob("*.svg")}
    kept = {path.name: path.read_bytes() for path in lesson.folder.glob("*.svg")}
    for name in sorted({*drawn, *kept}):
        if (name in drawn) != (name in kept) or (same and drawn[name] != kept[name]):
            yield Phrase(messages.VERIFY_FIGURE, id=lesson.id, name=name)


def over_budget(lesson: Lesson, cost: measure.Cost) -> Iterator[Phrase]:
    if cost.cpu_seconds > measure.CPU_SECONDS:
        yield Phrase(messages.VERIFY_SLOW, id=lesson.id, seconds=cost.cpu_seconds, most=measure.CPU_SECONDS)
    if cost.peak_bytes is not None and cost.peak_bytes > measure.BYTES:
        yield Phrase(messages.VERIFY_LARGE, id=lesson.id, found=cost.peak_bytes / 1e9)


def compared(kept: Any, fresh: Any) -> Iterator[Phrase]:
    """What of the fresh results contradicts the kept ones."""
    for name, before in kept.verdicts.items():
        now = fresh.verdicts.get(name)
        if now is None:
            yield Phrase(messages.VERIFY_VERDICT_GONE, id=kept.study, claim=name)
        elif _flipped(before, now):
            yield Phrase(messages.VERIFY_FLIPPED, id=kept.study, claim=name, before=before.word, now=now.word)
    for key, value in kept.values.items():
        if key not in fresh.values:
            yield Phrase(messages.VERIFY_VALUE_GONE, id=kept.study, key=key)
        elif not _agree(value, fresh.values[key]):
            yield Phrase(messages.VERIFY_DRIFTED, id=kept.study, key=key, before=_range(value), now=_range(fresh.values[key]))


def _flipped(before: Any, now: Any) -> bool:
    against = {"SUPPORTED": now.p_against, "NOT SUPPORTED": now.p_for}.get(before.word)
    return against is not None and against < FLIP


def _agree(before: Any, now: Any) -> bool:
    """Their 95 % intervals meet; what has no interval is the same up to rounding."""
    if (before.mean is None) != (now.mean is None):
        return False
    (low, high), (start, end) = _range(before), _range(now)
    if low is None or start is None:
        return bool(low == start)
    slack = SAME + 1e-3 * abs(low) if low == high else SAME
    return bool(low - slack <= end and start <= high + slack)


def _range(value: Any) -> tuple[Any, Any]:
    """The interval of a measured value, or its one number twice."""
    if value.low is not None:
        return value.low, value.high
    alone = value.mean if value.mean is not None else value.values[0] if value.n == 1 else None
    return alone, alone


def problems(lesson: Lesson) -> list[Phrase]:
    """What can be said without running the lesson: its lint and its exercises."""
    from danlu.learn.lint import lint

    try:
        return [*lint(lesson), *exercises(lesson)]
    except Trouble as trouble:
        return [Phrase(trouble.sentence, **trouble.values)]
