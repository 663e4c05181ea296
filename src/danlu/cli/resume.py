"""`danlu resume`: goes on with a run where it was last saved, with the recipe that its folder holds."""

from __future__ import annotations

from pathlib import Path

from danlu import messages
from danlu.cli.parse import Command, Given
from danlu.cli.train import JSON, QUIET, trained

COMMAND = Command("resume", messages.ABOUT_RESUME, "RUN", 1, 1, (JSON, QUIET), messages.MORE_RESUME)


def run(words: list[str], given: Given) -> int:
    from danlu.describe.forms import from_data
    from danlu.describe.places import Places
    from danlu.run.folder import read_json

    folder = Path(words[0])
    recipe = from_data(read_json(folder / "recipe.json"), Places(str(folder / "recipe.json")))
    record = folder / "record.json"  # not there yet if the run was stopped in its first moments
    name = read_json(record).get("name", folder.name) if record.exists() else folder.name
    return trained(recipe, name, folder, given, resume=True)
