"""`danlu checkpoints`: what a run has saved, which of it is the latest and the best, and whether every byte is still as it was written."""

from __future__ import annotations

import json
from pathlib import Path

from danlu import messages
from danlu.cli.parse import Command, Flag, Given
from danlu.cli.text import cut_grid
from danlu.errors import DAMAGED, say

VERIFY = Flag("--verify", messages.FLAG_VERIFY)
JSON = Flag("--json", messages.FLAG_JSON)
COMMAND = Command("checkpoints", messages.ABOUT_CHECKPOINTS, "RUN", 1, 1, (VERIFY, JSON), messages.MORE_CHECKPOINTS)


def run(words: list[str], given: Given) -> int:
    from danlu.run.health import healths

    folder = Path(words[0])
    found = healths(folder, bytewise=given["--verify"])
    if given["--json"]:
        print(json.dumps([health.facts() for health in found], ensure_ascii=False, allow_nan=False))
    elif not found:
        print(say(messages.NO_CHECKPOINTS, folder=folder))
    else:
        whole = messages.WHOLE if given["--verify"] else messages.LOOKS_WHOLE
        rows = [
            [h.folder.name, h.written, f"{h.size / 1e6:,.2f} MB", " ".join(h.names) or "-", _figures(h.metrics), h.reason or say(whole)]
            for h in found
        ]
        print(cut_grid(rows, 10**6, indent=0))
    return DAMAGED if any(health.reason for health in found) else 0


def _figures(metrics: dict[str, object]) -> str:
    shown = [f"{name} {value:.4g}" for name, value in metrics.items() if name.startswith("val_") and isinstance(value, int | float)]
    return "  ".join(shown) or "-"
