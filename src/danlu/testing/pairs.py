"""Law 11: any two techniques together train to finite numbers and resume, or are refused with a sentence before the first step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from danlu.core import Recipe, Run, Technique
from danlu.errors import Trouble
from danlu.find import catalogue
from danlu.keys import mix
from danlu.testing.compare import named
from danlu.testing.resume import resumes
from danlu.testing.tiny import STEPS, tiny


def pair(outer: Technique, inner: Technique, recipe: Callable[..., Recipe] = tiny) -> list[Trouble]:
    """11: the two, in this order, train to finite numbers and resume, or are refused. Whole and in micro-batches; the refusals."""
    names = f"{named([outer])} around {named([inner])}"
    refusals = []
    for split in (False, True):
        wish = replace(recipe(outer, split=split), techniques=(outer, inner))
        try:
            if trouble := refusal(wish):
                refusals.append(trouble)
                continue
            k = mix(names, int(split)) % STEPS  # one step for each pair; the law of single techniques tries them all
            course = resumes(wish, at=[k])
        except AssertionError:
            raise
        except Exception as error:  # trouble that comes late, and any other that is no sentence
            raise AssertionError(f"{names}: {type(error).__name__}: {error}") from error
        unsound = [step for step, loss, *_ in course.reports if not math.isfinite(float(loss))]
        assert course.reports and not unsound, f"{names}: the loss is not finite at steps {unsound}"
    return refusals


def pairs(technique: Technique, recipe: Callable[..., Recipe] = tiny) -> None:
    """11: the technique with every one that is found, as the outer and as the inner one."""
    for found in catalogue("technique"):
        other = found.load().example()
        pair(technique, other, recipe)
        pair(other, technique, recipe)


def refusal(recipe: Recipe) -> Trouble | None:
    """The trouble that a recipe is refused with, or None if it takes its first step.

    A refusal says something in both languages, and comes before any step.
    """
    run = None
    try:
        run = Run(recipe)
        next(iter(run), None)
    except Trouble as found:
        trouble = found
    else:
        return None
    at = run.step if run else 0
    assert at == 0, f"{named(recipe.techniques)}: refused after {at} steps: {trouble}"
    assert all(sentence.format(**trouble.values).strip() for sentence in trouble.sentence), f"no sentence: {trouble.sentence}"
    return trouble


def ordered() -> list[tuple[str, str]]:
    """The names of every ordered pair of techniques found, twice the same one too, in an order of no meaning."""
    names = [found.name for found in catalogue("technique", others=False)]
    return sorted(((outer, inner) for outer in names for inner in names), key=lambda two: mix("pair", *two))


def tenth(place: int) -> list[tuple[str, str]]:
    """One tenth of the pairs (place: 0 to 9); the ten have them all."""
    return ordered()[place::10]
