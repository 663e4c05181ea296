"""`danlu explain`: a recipe in seven lines, outermost first, with what a step of it takes; or resolved, as YAML."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from danlu import messages
from danlu.cli.chosen import JSON
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.recipe import CHANGES, asked
from danlu.cli.text import aligned, grid, wrapped
from danlu.errors import BadInput, say

if TYPE_CHECKING:
    from danlu.core import Recipe

YAML = Flag("--yaml", messages.FLAG_YAML)
LAYERS = Flag("--layers", messages.FLAG_LAYERS)
COMMAND = Command("explain", messages.ABOUT_EXPLAIN, "RECIPE [field=value ...]", 1, None, (*CHANGES, YAML, LAYERS, JSON), messages.QUOTING)


def run(words: list[str], given: Given) -> int:
    for other in ("--json", "--layers"):
        if given["--yaml"] and given[other]:
            raise BadInput(messages.NOT_TOGETHER, first="--yaml", second=other)
    recipe = asked(words, given)
    if given["--layers"]:
        _layers(recipe, given["--json"])
        return 0
    if given["--yaml"]:
        from danlu.describe.forms import to_data
        from danlu.describe.recipe_file import write

        print(write(to_data(recipe, full=True)), end="")
        return 0
    from danlu.explain import explain

    explanation = explain(recipe)
    if given["--json"]:
        print(json.dumps(explanation.facts, ensure_ascii=False, indent=1, allow_nan=False))
    else:
        print(aligned(explanation.lines, columns(), indent=0))
        print("\n" + "\n".join(wrapped(say(messages.EXPLAIN_HOW), columns())))
    return 0


def _layers(recipe: Recipe, as_json: bool) -> None:
    """Every layer with the scale of its weights, and of the activations that it gives on the first batch."""
    from danlu.core import Run
    from danlu.explain import first_batch
    from danlu.layers import layers

    with Run(recipe) as run:
        found = layers(run, first_batch(run))
    if as_json:
        print(json.dumps([asdict(layer) for layer in found], ensure_ascii=False, indent=1, allow_nan=False))
        return
    head = [
        messages.LAYER_NAME,
        messages.LAYER_KIND,
        messages.LAYER_WEIGHT,
        messages.LAYER_DEVIATION,
        messages.LAYER_RATE,
        messages.LAYER_MEAN,
        messages.LAYER_STD,
    ]
    rows = [
        [
            layer.name,
            layer.kind,
            "x".join(map(str, layer.weight)) or "-",
            *map(_number, (layer.deviation, layer.rate, layer.mean, layer.std)),
        ]
        for layer in found
    ]
    print(grid([[say(word) for word in head], *rows]))
    print("\n" + "\n".join(wrapped(say(messages.LAYERS_HOW), columns())))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
