"""`danlu report`: writes a run's report.html anew from its logs."""

from __future__ import annotations

from pathlib import Path

from danlu import messages
from danlu.cli.parse import Command, Given
from danlu.errors import BadInput, say

COMMAND = Command("report", messages.ABOUT_REPORT, "RUN", 1, 1, more=messages.MORE_RESUME)


def run(words: list[str], given: Given) -> int:
    folder = run_folder(words[0])
    from danlu.run import report

    print(say(messages.WRITTEN, path=report.write(folder)))
    return 0


def run_folder(word: str) -> Path:
    """The folder of a run. Raises BadInput when it holds none."""
    folder = Path(word)
    if not (folder / "recipe.json").is_file():
        raise BadInput(messages.NO_RUN_THERE, folder=folder, file="recipe.json")
    return folder
