"""Run as a script, `python another_process.py FOLDER KIND...`: goes on from what another process saved under FOLDER, and prints as JSON
what was said and where it ended, for each KIND (a technique's name, or a class below) and each step that was saved."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from danlu.core import Recipe, Technique
from danlu.find import lookup
from danlu.run import checkpoint
from danlu.testing.compare import Course
from danlu.testing.resume import go_on
from danlu.testing.tiny import tiny


@dataclass
class Salted(Technique):
    """Scales the gradient by Python's hash of a text, which is salted anew in every process: no law sees it within one."""

    neutral: ClassVar = {}

    def wrap_gradient(self, gradient, run):
        def scaled(objective, batches):
            outcome = gradient(objective, batches)
            for p in run.trainable():
                p.grad *= 1 + 1e-3 * (hash("salt") % 1000)
            return outcome

        return scaled


def recipe(kind: str, split: bool) -> Recipe:
    found = lookup("technique", kind)
    return tiny((found.load() if found else globals()[kind]).example(), split=split)


def courses(folder: Path, kind: str) -> list[Course]:
    """Every save's course to the end: of the whole batch first, then of the split one; by step."""
    torch.set_num_threads(1)
    places = {split: folder / kind / str(split) for split in (False, True)}
    return [go_on(recipe(kind, split), k, place) for split, place in places.items() for k in checkpoint.steps(place)]


if __name__ == "__main__":
    print(json.dumps({kind: courses(Path(sys.argv[1]), kind) for kind in sys.argv[2:]}))
