"""`danlu explain`: a recipe in seven lines, outermost first, with what a step of it takes; or resolved, as YAML."""

from __future__ import annotations

import json

from danlu import messages
from danlu.cli.chosen import JSON
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.recipe import CHANGES, asked
from danlu.cli.text import aligned, wrapped
from danlu.errors import BadInput, say

YAML = Flag("--yaml", messages.FLAG_YAML)
COMMAND = Command("explain", messages.ABOUT_EXPLAIN, "RECIPE [field=value ...]", 1, None, (*CHANGES, YAML, JSON), messages.QUOTING)


def run(words: list[str], given: Given) -> int:
    if given["--yaml"] and given["--json"]:
        raise BadInput(messages.NOT_TOGETHER, first="--yaml", second="--json")
    recipe = asked(words, given)
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
