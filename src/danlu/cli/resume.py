"""`danlu resume`: goes on with a run where it was last saved, with the recipe that its folder holds."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from danlu import messages
from danlu.cli.parse import Command, Flag, Given
from danlu.cli.train import ACCEPT, JSON, LIMIT, QUIET, trained
from danlu.errors import BadInput

UNTIL = Flag("--until", messages.FLAG_UNTIL, "epochs=N|steps=N")
LR = Flag("--lr", messages.FLAG_LR, "RATE")
COMMAND = Command("resume", messages.ABOUT_RESUME, "RUN", 1, 1, (UNTIL, LR, LIMIT, ACCEPT, JSON, QUIET), messages.MORE_RESUME)


def run(words: list[str], given: Given) -> int:
    began = time.monotonic()
    from danlu.describe.forms import from_data
    from danlu.describe.override import override
    from danlu.describe.places import Places
    from danlu.optim.first_order import AdamW
    from danlu.run.folder import read_json

    folder = Path(words[0])
    recipe = from_data(read_json(folder / "recipe.json"), Places(str(folder / "recipe.json")))
    record = folder / "record.json"  # not there yet if the run was stopped in its first moments
    name = read_json(record).get("name", folder.name) if record.exists() else folder.name
    changing = []
    if given["--until"]:
        if given["--until"].partition("=")[0] not in ("epochs", "steps"):
            raise BadInput(messages.UNTIL_WHAT, found=given["--until"])
        recipe, changing = override(recipe, [given["--until"]]), ["epochs", "steps"]
    if given["--lr"]:
        recipe = recipe if recipe.optimizer else replace(recipe, optimizer=AdamW())
        recipe, changing = override(recipe, [f"optimizer.lr={given['--lr']}"]), [*changing, "optimizer"]
    return trained(recipe, name, folder, given, began, resume=True, changing=changing)
