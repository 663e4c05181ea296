"""`danlu export`: a trained model for other programs."""

from __future__ import annotations

from pathlib import Path

from danlu import messages
from danlu.cli.parse import Command, Flag, Given
from danlu.errors import BadInput, say

TO = Flag("--to", messages.FLAG_EXPORT_TO, "safetensors|onnx|torch-export|bundle")
OUT = Flag("--out", messages.FLAG_EXPORT_OUT, "PATH")
COMMAND = Command("export", messages.ABOUT_EXPORT, "RUN", 1, 1, (TO, OUT), messages.MORE_EXPORT)


def run(words: list[str], given: Given) -> int:
    from danlu.use.export import KINDS, export
    from danlu.use.load import load

    to = given["--to"]
    if to not in KINDS:
        raise BadInput(messages.EXPORT_KIND, found=to or "-", kinds=", ".join(KINDS))
    trained = load(words[0], device="cpu")
    out = given["--out"] or f"{trained.folder.name}{KINDS[to] or '-bundle'}"
    made = export(trained, to, Path(out))
    print(say(messages.EXPORTED, path=made.path, step=trained.step, weights=trained.weights, difference=f"{made.difference:.2g}"))
    return 0
