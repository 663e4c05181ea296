"""Reliability beside the HF Trainer and Lightning on the same jobs, and what a checkpoint costs beside a bare write of its bytes.

    python bench/reliability.py [kill] [finished] [broken] [damage] [saving] [--n 60]

kill: kill -9 at random times, then resume as the documentation says; is the end the same, bit for bit? finished: steps that a finished run
takes when it is resumed. broken: each file of the newest checkpoint missing or empty. damage: flipped bits, cut ends and zeroed pages in
files of each format. saving: 100 million parameters with Adam's state, in seconds and as ratios, arms interleaved. Each part
takes its place in docs/reliability.md when it is done.

The peers have an environment of their own, in `.venv-peers` beside this checkout (without it danlu is measured alone):

    python3 -m venv .venv-peers
    .venv-peers/bin/pip install -c constraints.txt numpy 'lightning==2.6.*' 'transformers==5.23.*' accelerate torchdata
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import reliability_formats as formats
import reliability_jobs as jobs
import reliability_saving as saving
from reliability_page import PEERS, SECTIONS, versions, written

from exam.harness import Ended, Server

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
            words = ["resume", "run"] if begun else ["train", "--no-check", str(jobs.recipe(folder, job)), "--out", "run"]
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
    found = {"killed": 0, "of these before the first save": 0, "same bits": 0, "other bits": 0, "does not resume": 0}
    while found["killed"] < n:
        job, trial = jobs.NAMES[trial % 3], trial + 1
        seconds, reference = known[job]
        place = folder / str(trial)
        place.mkdir()
        if framework.train(job, place, kill=draw.uniform(0, seconds)).code != 0:  # else it was faster than the reference
            found["killed"] += 1
            found["of these before the first save"] += not framework.saved(place)
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
    found = {"broken": 0, "same bits": 0, "of these, all over again": 0, "other bits": 0, "does not resume": 0}
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
            found["broken"] += 1
            found["does not resume" if last.code else "same bits" if framework.final(place) == known["cnn"][1] else "other bits"] += 1
            found["of these, all over again"] += last.code == 0 and framework.steps(place) - before == jobs.STEPS
            shutil.rmtree(place)
    return found


def beside(part: str, measure: Callable[[Framework, Path], dict[str, int]], folder: Path) -> str:
    """Markdown: a row for each outcome, a column for each framework."""
    found = {}
    for name in FRAMEWORKS if PEERS.exists() else FRAMEWORKS[:1]:
        framework = Framework(name)
        found[name] = measure(framework, folder / name / part)
        framework.server.close()
        print(part, name, found[name], flush=True)
    lines = ["| | " + " | ".join(TITLES[name] for name in found) + " |", "|---" * (len(found) + 1) + "|"]
    lines += [f"| {key} | " + " | ".join(str(counts[key]) for counts in found.values()) + " |" for key in found["danlu"]]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*SECTIONS, []])
    parser.add_argument("--n", type=int, default=60, help="kills of each framework")
    parser.add_argument("--rounds", type=int, default=7, help="of saving")
    asked = parser.parse_args()
    print(f"peers: {versions()}", flush=True)
    measures = {"kill": partial(kills, n=asked.n), "finished": finished, "broken": broken}
    with tempfile.TemporaryDirectory() as folder:
        for part in asked.parts or SECTIONS:
            if part in measures:
                found = beside(part, measures[part], Path(folder))
            else:
                found = formats.table(Path(folder)) if part == "damage" else saving.table(Path(folder), asked.rounds)
            print(found, flush=True)
            written(part, found, {"job": jobs, "reach": saving.REACH})


if __name__ == "__main__":
    main()
