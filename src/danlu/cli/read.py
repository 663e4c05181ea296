"""`danlu read`: a run's metrics as a table, as CSV, or as JSON lines."""

from __future__ import annotations

import csv
import json
import sys

from danlu import messages
from danlu.cli.evaluate import grid
from danlu.cli.parse import Command, Flag, Given

CSV = Flag("--csv", messages.FLAG_READ_CSV)
JSON = Flag("--json", messages.FLAG_READ_JSON)
METRIC = Flag("--metric", messages.FLAG_METRIC, "NAME", many=True)
COMMAND = Command("read", messages.ABOUT_READ, "RUN", 1, 1, (METRIC, CSV, JSON), messages.MORE_READ)


def run(words: list[str], given: Given) -> int:
    from danlu.errors import BadInput
    from danlu.use.read import lines, names

    found = lines(words[0])
    known = names(found)
    for name in given["--metric"]:
        if name not in known:
            raise BadInput(messages.PLOT_NO_METRIC, metric=name, found=", ".join(known) or "-")
    chosen = list(dict.fromkeys(["step", *given["--metric"]])) if given["--metric"] else known
    if given["--metric"]:
        found = [line for line in found if any(name in line for name in given["--metric"])]
    if given["--json"]:
        for line in found:
            print(json.dumps({name: line[name] for name in chosen if name in line}, ensure_ascii=False))
    elif given["--csv"]:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(chosen)
        writer.writerows([["" if line.get(name) is None else line[name] for name in chosen] for line in found])
    else:
        print(grid([chosen, *([_cell(line, name) for name in chosen] for line in found)], indent=0))
    return 0


def _cell(line: dict[str, object], name: str) -> str:
    value = line.get(name)
    if value is None:
        return "-" if name in line else ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)
