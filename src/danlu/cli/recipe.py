"""The recipe that a command line asks for: a name or file, techniques left out and added, fields set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from danlu import messages
from danlu.cli.parse import Flag, Given

if TYPE_CHECKING:
    from danlu.core import Recipe

CHANGES = (Flag("--with", messages.FLAG_WITH, "T", many=True), Flag("--without", messages.FLAG_WITHOUT, "T", many=True))


def asked(words: list[str], given: Given) -> Recipe:
    """The recipe `words[0]` with the settings `words[1:]`. Raises BadInput."""
    from danlu.describe.override import override
    from danlu.describe.recipe_file import load_recipe

    return override(load_recipe(words[0]), words[1:], given["--with"], given["--without"])


def name_of(spec: str) -> str:
    """What a run of that recipe is called: its name, or the file's without folder and ending."""
    from danlu.describe import user_file
    from danlu.describe.recipe_file import SUFFIXES

    if user_file.is_target(spec):
        return user_file.split(spec)[1]
    return Path(spec).stem if spec.lower().endswith(SUFFIXES) else spec
