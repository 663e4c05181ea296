"""How much memory a table far larger than it takes: a CSV of two gigabytes, made here, looked at, trained on and predicted.

    python bench/big_table.py [--gigabytes G] [--columns N] [--folder DIR]

Each command runs as its own process. What is told is the most anonymous memory that the kernel counted for it (RssAnon, sampled ten times
a second: the pages of a mapped file can be given back at any time) and, beside it, the most resident memory of any kind.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

BETWEEN = 0.1  # seconds


def made(path: Path, gigabytes: float, columns: int) -> int:
    """A CSV with numbers, two categories and a target; how many rows."""
    draw, rows, size = np.random.default_rng(0), 0, 0
    cities = np.array(["Berlin", "北京", "Lagos", "Lima"])
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join([*(f"x{k}" for k in range(columns - 3)), "city", "code", "y"]) + "\n")
        while size < gigabytes * 1e9:
            x = draw.normal(size=(20_000, columns - 3))
            city, code = draw.integers(0, 4, len(x)), draw.integers(0, 500, len(x))
            y = x[:, 0] * 2 + x[:, 1] * x[:, 2] + city
            lines = [
                ",".join([*(f"{v:.5f}" for v in row), cities[c], f"c{k}", f"{t:.3f}"]) for row, c, k, t in zip(x.tolist(), city, code, y)
            ]
            text = "\n".join(lines) + "\n"
            file.write(text)
            rows, size = rows + len(x), size + len(text)
    return rows


def watched(command: list[str]) -> tuple[float, float, float, int]:
    """(GB of anonymous memory at most, GB resident at most, seconds, exit code)."""
    began, anonymous, resident = time.monotonic(), 0, 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        try:
            fields = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if ":" in line)
            anonymous = max(anonymous, int(fields["RssAnon"].split()[0]))
            resident = max(resident, int(fields["VmHWM"].split()[0]))
        except (OSError, KeyError):
            break
        time.sleep(BETWEEN)
    error = process.stderr.read() if process.stderr else ""
    if process.wait():
        print(error, file=sys.stderr)
    return anonymous / 1e6, resident / 1e6, time.monotonic() - began, process.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--folder")
    asked = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        path = Path(folder) / "big.csv"
        rows = made(path, asked.gigabytes, asked.columns)
        print(f"{path.stat().st_size / 1e9:.2f} GB, {rows:,} rows, {asked.columns} columns", flush=True)
        run, danlu = str(Path(folder) / "run"), [str(Path(sys.executable).parent / "danlu")]
        commands = {
            "look": [*danlu, "look", f"data.path={path}", "--json"],
            "train": [
                *danlu,
                "train",
                "tabular",
                f"data.path={path}",
                "data.target=y",
                "steps=300",
                "validate=false",
                "device=cpu",
                "--out",
                run,
            ],
            "predict": [*danlu, "predict", run, str(path), "--out", str(Path(folder) / "said.csv")],
        }
        for name, command in commands.items():
            anonymous, resident, seconds, code = watched(command)
            worst = max(worst, anonymous)
            print(f"{name}: {anonymous:.2f} GB anonymous, {resident:.2f} GB resident, {seconds:.0f} s, exit code {code}", flush=True)
    print(f"at most {worst:.2f} GB (bound 1)")
    return int(worst > 1.0)


if __name__ == "__main__":
    sys.exit(main())
