"""The matrix of placements and techniques, held to law 8 (see danlu.testing.placement), written to docs/placements.md.

    python bench/placements.py [--world 2] [--world 4] [--only fsdp]

Each cell trains the laws' small recipe on gloo processes of this machine and on one process: float64 weights, buffers, averages and losses
within 1e-9, the same bits on every process, float32 gradients within 1e-5 of their norm. "=" is equal; "-" is refused before the first step
by all processes with the same sentence, and by one process too; "gap" is refused where one process trains; "BROKEN" is neither. Exit code 1
when a cell is broken, or more than 10 % are gaps.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

import torch

from danlu.core import Recipe
from danlu.placement.ddp import DDP
from danlu.placement.fsdp import FSDP
from danlu.placement.zero import Zero
from danlu.testing.placement import SPLITS, course, equal, rows
from danlu.testing.ranks import Ranks

PLACEMENTS = {"ddp": DDP(), "fsdp": FSDP(), "zero": Zero()}
PAGE = Path(__file__).parents[1] / "docs" / "placements.md"


def cell(recipe: Recipe, ranks: Ranks, where: object) -> tuple[str, str]:
    """What is written in the cell, and the sentence if it is refused or broken."""
    try:
        refused = equal(recipe, ranks, where)
    except AssertionError as broken:
        return "BROKEN", " ".join(str(broken).split())[:300]
    return ("-" if course(recipe).refused else "gap", refused) if refused else ("=", "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=int, action="append")
    parser.add_argument("--only", choices=PLACEMENTS, action="append", help="these alone; the page is not written")
    given = parser.parse_args()
    worlds, wanted = given.world or [2, 4], given.only or list(PLACEMENTS)
    columns = [(where, world, split) for where in wanted for world in worlds for split in SPLITS]
    table: dict[str, list[str]] = {}
    said: dict[str, str] = {}
    for where, world, split in columns:
        ranks = Ranks(world)
        for name, recipe in rows(split):
            mark, sentence = cell(recipe, ranks, PLACEMENTS[where])
            table.setdefault(name, []).append(mark)
            if mark in ("BROKEN", "gap"):
                print(f"{where}, {world} processes, {split}: {name}: {mark}: {sentence}", flush=True)
            if mark == "BROKEN":
                ranks.kill()
                ranks = Ranks(world)
            if sentence:
                said[f"{where}, {world} processes, {split}: {name}"] = f"{mark}: {sentence}"
        ranks.kill()
        print(where, world, split, flush=True)
    marks = [mark for row in table.values() for mark in row]
    counts = {mark: marks.count(mark) for mark in ("=", "-", "gap", "BROKEN")}
    if not given.only and not given.world:
        PAGE.write_text(_page(columns, table, said, counts), encoding="utf-8")
    print(counts)
    return 1 if counts["BROKEN"] or counts["gap"] > 0.1 * len(marks) else 0


def _page(columns: list[tuple[str, int, str]], table: dict[str, list[str]], said: dict[str, str], counts: dict[str, int]) -> str:
    sentences = "\n".join(f"- {place}: {sentence}" for place, sentence in said.items())
    heads = [f"{where} {world}, {split}" for where, world, split in columns]
    lines = [
        "# Placements",
        "",
        f"Written by bench/placements.py on {date.today()} (torch {torch.__version__}, gloo); never edited.",
        "",
        f"**{counts['=']} cells equal one process, {counts['-']} are refused as on one process, {counts['gap']} are gaps, "
        f"{counts['BROKEN']} broken.** Equal: float64 weights, buffers, averages and losses within 1e-9, the same bits on every process, "
        "float32 gradients within 1e-5 of their norm. Splits of the laws' 40 rows: "
        + "; ".join(
            f"{name}: batches of {sizes['batch_size']} in micro-batches of {sizes['micro_batch_size']}" for name, sizes in SPLITS.items()
        )
        + " (uneven and short leave processes without rows).",
        "",
        "| | " + " | ".join(heads) + " |",
        "|---|" + "---|" * len(heads),
        *(f"| {name} | " + " | ".join(row) + " |" for name, row in table.items()),
        "",
        *([f"## Refused, or broken\n\n{sentences}\n"] if said else []),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
