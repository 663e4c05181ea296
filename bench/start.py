"""Seconds of whole processes: `danlu --help`, `danlu list` and `import danlu`, beside a Python that does nothing.

    python bench/start.py [--rounds 20]

A warm start: the catalogue's cache (one file, made by the first `danlu list`) is there. The empty Python runs twice, which is the A/A pair.
What `-X importtime` lists is looked at as well: none of them may import torch. Exit code 1 when a limit does not hold.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable

from measure import interleaved, ratio

LIMITS = {"danlu --help": 0.25, "danlu list": 0.25, "import danlu": 0.10}  # seconds; of `import danlu`, over the empty Python
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "the same again": ["-c", "pass"],
    "danlu --help": ["-m", "danlu", "--help"],
    "danlu list": ["-m", "danlu", "list"],
    "import danlu": ["-c", "import danlu"],
}


def process(arguments: list[str]) -> Callable[[], None]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    return lambda: subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True, env=environment) and None


def imports_torch(arguments: list[str]) -> bool:
    found = subprocess.run([sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True)
    return any(line.rpartition("|")[2].strip() == "torch" for line in found.stderr.splitlines())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    times = interleaved({name: process(arguments) for name, arguments in COMMANDS.items()}, parser.parse_args().rounds)
    base = times["python -c pass"]
    print(f"{'':18}{'seconds':>9}{'over empty':>12}{'limit':>8}   ratio to the empty Python")
    good = True
    for name, found in times.items():
        seconds = statistics.median(found)
        over = statistics.median(a - b for a, b in zip(found, base))
        limit = LIMITS.get(name)
        taken = over if name == "import danlu" else seconds
        verdict = "" if limit is None else "holds" if taken <= limit else "DOES NOT HOLD"
        torch = "; imports torch" if imports_torch(COMMANDS[name]) else ""
        good &= verdict != "DOES NOT HOLD" and not torch
        print(f"{name:18}{seconds:9.3f}{over:12.3f}{limit or '':>8}   {ratio(found, base)}  {verdict}{torch}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
