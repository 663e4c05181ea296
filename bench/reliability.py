"""Reliability beside the HF Trainer and Lightning on the same jobs, and what a checkpoint costs beside a bare write of its bytes.

    python bench/reliability.py [kill] [finished] [broken] [damage] [saving] [--n 60]

kill: kill -9 at random times, then resume as the documentation says; is the end the same, bit for bit? finished: steps that a finished run
takes when it is resumed. broken: each file of the newest checkpoint missing or empty. damage: flipped bits, cut ends and zeroed pages in
files of each format. saving: 100 million parameters with Adam's state, in seconds and as ratios, arms interleaved.

The peers have an environment of their own, in `.venv-peers` beside this checkout (without it danlu is measured alone):

    python3 -m venv .venv-peers
    .venv-peers/bin/pip install -c constraints.txt numpy 'lightning==2.6.*' 'transformers==5.23.*' accelerate torchdata
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import reliability_formats as formats
import reliability_jobs as jobs
import reliability_saving as saving

from exam.harness import ROOT, Ended, Server

PEERS = ROOT / ".venv-peers" / "bin" / "python"
FRAMEWORKS = ("danlu", "hf", "lightning", "lightning-stateful")
TITLES = {"danlu": "danlu", "hf": "HF Trainer", "lightning": "Lightning", "lightning-stateful": "Lightning, StatefulDataLoader"}


class Framework:
    """One of them, with a server that forks its trainings."""

    def __init__(self, name: str):
        self.name = name
        code = f"import sys; sys.path[:0] = ['bench', '.']; import reliability_jobs; reliability_jobs.serve({name!r})"
        self.server = Server() if name == "danlu" else Server(str(PEERS), code)
        self.checkpoints = {"danlu": "run/checkpoints", "hf": "ck"}.get(name, "ck")

    def train(self, job: str, folder: Path, kill: float | None = None, kill_at: int = 0) -> Ended:
        """Begin or go on, whichever the folder asks for; killed after so many seconds, or at a step."""
        if self.name == "danlu":
            begun = (folder / "run" / "recipe.json").exists()
            words = ["resume", "run"] if begun else ["train", str(jobs.recipe(folder, job)), "--out", "run"]
        else:
            words = [self.name, job]
        if kill_at:
            (folder / "kill-at").write_text(str(kill_at))
        command = self.server.start(words, folder, ("at_step", {"step": kill_at}) if kill_at and self.name == "danlu" else None)
        if kill is not None:
            time.sleep(kill)
            command.kill()
        return command.wait()

    def final(self, folder: Path) -> str:
        path = folder / ("run/model.safetensors" if self.name == "danlu" else "final")
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""

    def steps(self, folder: Path) -> int:
        """The optimizer steps that were taken so far, those that were taken again included."""
        return (folder / ("ids" if self.name == "danlu" else "steps")).read_text().count("\n")

    def newest(self, folder: Path) -> list[Path]:
        """The files of the newest checkpoint."""
        found = folder / self.checkpoints
        if self.name.startswith("lightning"):
            return [found / "last.ckpt"]
        newest = max((path for path in found.iterdir() if path.is_dir()), key=lambda path: int(path.name.rpartition("-")[2]))
        return sorted(newest.iterdir())

    def saved(self, folder: Path) -> bool:
        """Whether there is a checkpoint to go on from."""
        found = folder / self.checkpoints
        return found.is_dir() and any(path.name.startswith(("step-", "checkpoint-", "last")) for path in found.iterdir())


def references(framework: Framework, folder: Path) -> dict[str, tuple[float, str]]:
    """Seconds and the final weights of each job, uninterrupted. Two such runs must be the same, else nothing could be compared."""
    found = {}
    for job in jobs.NAMES:
        ends = []
        for turn in "ab":
            (folder / f"{job}-{turn}").mkdir(parents=True)
            ends.append(framework.train(job, folder / f"{job}-{turn}"))
            assert ends[-1].code == 0, ends[-1].text
        if framework.final(folder / f"{job}-a") != framework.final(folder / f"{job}-b"):
            raise SystemExit(f"{framework.name}: two uninterrupted runs of {job} differ already")
        found[job] = ends[1].seconds, framework.final(folder / f"{job}-b")
    return found


def kills(framework: Framework, folder: Path, n: int) -> dict[str, int]:
    """What became of `n` trainings that were killed at a random time and gone on with."""
    draw, trial, known = random.Random(3), 0, references(framework, folder)
    found = {"same bits": 0, "other bits": 0, "does not resume": 0, "of these, killed before the first save": 0}
    while found["same bits"] + found["other bits"] + found["does not resume"] < n:
        job, trial = jobs.NAMES[trial % 3], trial + 1
        seconds, reference = known[job]
        place = folder / str(trial)
        place.mkdir()
        if framework.train(job, place, kill=draw.uniform(0, seconds)).code != 0:  # else it was faster than the reference
            found["of these, killed before the first save"] += not framework.saved(place)
            last = framework.train(job, place)
            found["does not resume" if last.code else "same bits" if framework.final(place) == reference else "other bits"] += 1
        shutil.rmtree(place)
    return found


def finished(framework: Framework, folder: Path) -> dict[str, int]:
    """Optimizer steps that finished runs take when they are resumed, and how many end with other bits."""
    found = {"runs": 0, "steps more": 0, "other bits": 0}
    for job, (_, reference) in references(framework, folder).items():
        place = folder / f"{job}-a"
        before = framework.steps(place)
        ended = framework.train(job, place)
        found["runs"] += 1
        found["steps more"] += framework.steps(place) - before
        found["other bits"] += ended.code != 0 or framework.final(place) != reference
    return found


def broken(framework: Framework, folder: Path) -> dict[str, int]:
    """What becomes of a run, killed in step 58, whose newest checkpoint lacks a file or has an empty one: each file, both ways."""
    found = {"same bits": 0, "of these, all over again": 0, "other bits": 0, "does not resume": 0}
    known, begun = references(framework, folder), folder / "begun"
    begun.mkdir()
    framework.train("cnn", begun, kill_at=58)
    (begun / "kill-at").unlink()
    for name in [path.name for path in framework.newest(begun)]:
        for way in ("missing", "empty"):
            place = folder / f"{name}-{way}"
            shutil.copytree(begun, place)
            path = next(path for path in framework.newest(place) if path.name == name)
            path.unlink()
            if way == "empty":
                path.touch()
            before = framework.steps(place)
            last = framework.train("cnn", place)
            found["does not resume" if last.code else "same bits" if framework.final(place) == known["cnn"][1] else "other bits"] += 1
            found["of these, all over again"] += last.code == 0 and framework.steps(place) - before == jobs.STEPS
            shutil.rmtree(place)
    return found


def table(rows: dict[str, dict[str, dict[str, int]]]) -> str:
    """Markdown: a row for each measurement, a column for each framework."""
    names = [name for name in FRAMEWORKS if any(name in found for found in rows.values())]
    lines = ["| | " + " | ".join(TITLES[name] for name in names) + " |", "|---" * (len(names) + 1) + "|"]
    for title, found in rows.items():
        cells = ["<br>".join(f"{key}: {value}" for key, value in found.get(name, {}).items()) for name in names]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def versions() -> str:
    """Of both environments."""
    code = "import sys, importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in sys.argv[1:]), sep=', ')"

    def of(python: str, *packages: str) -> str:
        return subprocess.check_output([python, "-c", code, *packages], text=True).strip()

    peers = of(str(PEERS), "transformers", "accelerate", "lightning", "torchdata", "torch") if PEERS.exists() else "none here, see the head"
    return f"{of(sys.executable, 'danlu', 'torch', 'safetensors')}; peers: {peers}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parts = {"kill": kills, "finished": finished, "broken": broken}
    parser.add_argument("parts", nargs="*", choices=[*parts, "damage", "saving", []])
    parser.add_argument("--n", type=int, default=60, help="kills of each framework")
    parser.add_argument("--rounds", type=int, default=7, help="of saving")
    asked = parser.parse_args()
    chosen = asked.parts or [*parts, "damage", "saving"]
    print(versions(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        rows: dict[str, dict[str, dict[str, int]]] = {}
        for name in FRAMEWORKS if PEERS.exists() else FRAMEWORKS[:1]:
            framework = Framework(name)
            for part, measure in parts.items():
                if part in chosen:
                    place = Path(folder) / name / part
                    found = measure(framework, place, asked.n) if part == "kill" else measure(framework, place)  # type: ignore[operator]
                    rows.setdefault(part, {})[name] = found
                    print(part, name, found, flush=True)
            framework.server.close()
        if rows:
            print(table(rows), flush=True)
        if "damage" in chosen:
            print(formats.table(Path(folder)), flush=True)
        if "saving" in chosen:
            print(saving.table(Path(folder), asked.rounds), flush=True)


if __name__ == "__main__":
    main()
