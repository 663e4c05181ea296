"""Which weights of which run are meant: `RUN`, `RUN@best`, `RUN@latest`, `RUN@step-N`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from danlu import messages
from danlu.errors import BadInput
from danlu.run import checkpoint

_MARK = re.compile(r"best|latest|step-\d+")


@dataclass(frozen=True)
class Reference:
    """A run folder, and the checkpoint that is meant: None is what the finished run chose (else its newest whole checkpoint)."""

    folder: Path
    checkpoint: Path | None

    def __str__(self) -> str:
        return f"{self.folder}@{self.checkpoint.name}" if self.checkpoint else str(self.folder)


def refer(word: str | Path | Reference) -> Reference:
    """What a word means. Raises BadInput for a folder without a run, an unknown mark, and a checkpoint that is not there."""
    if isinstance(word, Reference):
        return word
    text = str(word)
    name, at, mark = text.rpartition("@")
    if not at or Path(text).is_dir():  # a folder's own name may hold an @
        name, mark = text, ""
    folder = Path(name).expanduser()
    if not (folder / "recipe.json").is_file():
        raise BadInput(messages.NO_RUN_THERE, folder=folder, file="recipe.json")
    if not mark:
        return Reference(folder, None)
    checkpoints = folder / "checkpoints"
    found = [f"step-{step}" for step in checkpoint.steps(checkpoints)]
    there = ", ".join([*(name for name in ("best", "latest") if checkpoint.named(checkpoints, name)), *found]) or "-"
    if not _MARK.fullmatch(mark):
        raise BadInput(messages.UNKNOWN_MARK, mark=mark, found=there)
    path = checkpoint.named(checkpoints, mark) if mark in ("best", "latest") else checkpoints / mark
    if path is None or path.name not in found:
        raise BadInput(messages.NO_SUCH_CHECKPOINT, mark=mark, folder=folder, found=there)
    return Reference(folder, path)
