"""One recipe, many settings and seeds."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from danlu import find, messages
from danlu.core import Recipe
from danlu.describe.override import override
from danlu.errors import BadInput


def sweep(recipe: Recipe, seeds: Iterable[int] = range(5), **settings: Sequence[Any]) -> list[Recipe]:
    """Every combination of the settings, each with every seed; the seed varies fastest.

    settings: fields as on the command line, dotted (`**{"optimizer.lr": [0.1, 0.3]}`, `batch_size=[32, 64]`), each with a list of values;
    these are plain, or, for a field of the recipe itself, descriptions (`schedule=[None, Cosine()]`).
    Raises BadInput, with the nearest right name.
    """
    for name, values in settings.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise BadInput(messages.SWEEP_ONE, name=name, found=values)
        if not list(values):
            raise BadInput(messages.SWEEP_EMPTY, name=name)
    found: list[Recipe] = []
    chosen = list(seeds)
    for values in itertools.product(*settings.values()):
        base = recipe
        for name, value in zip(settings, values):
            base = _set(base, name, value)
        found += [replace(base, seed=seed) for seed in chosen]
    return found


def _set(recipe: Recipe, name: str, value: Any) -> Recipe:
    if not _plain(value):
        known = [f.name for f in dataclasses.fields(Recipe)]
        if name not in known:
            raise BadInput(messages.UNKNOWN_SETTING, hint=find.hint(name, known))
        changes: dict[str, Any] = {name: value}
        return replace(recipe, **changes)
    text = ".inf" if value == math.inf else json.dumps(value)
    return override(recipe, [f"{name}={text}"])


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str) or (isinstance(value, tuple | list) and all(map(_plain, value)))
