"""What the recipes reach: each is trained with three seeds, in the ordinary way, and the figures are kept in `danlu/recipes/results.json`.

    python bench/recipes.py [RECIPE ...] [--check]

The sentence with the figures in the recipe's docstring is written from them.
A recipe is measured again only when its inputs have changed: its data form, the source it is computed by (not its comments and docstrings),
its data, or torch. `--check` measures nothing and says which those are. The weights are those that validation chose, and the test rows are
read once a run, by the end of `train`. CPU seconds are of the whole process: data, training, validation, checkpoints, test.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import statistics
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

import danlu
from danlu import build, find
from danlu.core import Recipe, Report, Run
from danlu.describe.forms import to_data
from danlu.describe.recipe_file import load_recipe
from danlu.errors import Sentence
from danlu.find.computing import computing, modules
from danlu.run import record
from danlu.run.train import train

PACKAGE = Path(danlu.__path__[0])
RESULTS = PACKAGE / "recipes" / "results.json"
SEEDS, THREADS = (0, 1, 2), 1


@dataclass(frozen=True)
class Claim:
    """What the mean over the seeds must reach: `least` or `most` of each figure, and CPU seconds of a run below `seconds`."""

    seconds: float
    least: dict[str, float]
    most: dict[str, float]


def claim(seconds: float, **bounds: tuple[str, float]) -> Claim:
    """`claim(20, test_accuracy=(">=", 0.975))`"""
    least = {figure: bound for figure, (sign, bound) in bounds.items() if sign == ">="}
    most = {figure: bound for figure, (sign, bound) in bounds.items() if sign == "<="}
    return Claim(seconds, least, most)


CLAIMS = {
    "digits": claim(20, test_accuracy=(">=", 0.975)),
    "wine": claim(20, test_accuracy=(">=", 0.94)),
    "breast_cancer": claim(20, test_accuracy=(">=", 0.95), test_auroc=(">=", 0.98)),
    "adult": claim(120, test_accuracy=(">=", 0.85), test_auroc=(">=", 0.905)),
    "california_housing": claim(240, test_r2=(">=", 0.80)),
    "fashion_mnist": claim(240, test_accuracy=(">=", 0.92)),
    "tinyshakespeare": claim(900, val_loss=("<=", 1.65)),
    "stdlib_code": claim(900, val_bits_per_byte=("<=", 2.0)),
    "banking77": claim(300, test_accuracy=(">=", 0.80)),
    "chinese_poetry": claim(400, val_loss=("<=", 5.3)),
}


# ---- one recipe ----


def measure(recipe: Recipe) -> dict[str, Any]:
    """Figures of every seed: {"figures": {name: [a value a seed]}, "cpu_seconds": [...], ...}."""
    figures: dict[str, list[float]] = {}
    seconds = []
    for seed in SEEDS:
        start = time.process_time()
        found = trained(replace(recipe, seed=seed))
        seconds.append(round(time.process_time() - start, 1))
        for name, value in found.items():
            figures.setdefault(name, []).append(round(value, 5))
        print(f"  seed {seed}: {seconds[-1]} CPU-s  {_row(found)}", flush=True)
    return {"figures": figures, "cpu_seconds": seconds, "seeds": list(SEEDS)} | machine()


def trained(recipe: Recipe) -> dict[str, float]:
    """One training to its end: the test figures, and the validation figures of the step that was chosen by them."""
    looks: dict[int, dict[str, Any]] = {}

    def watch(report: Report, run: Run) -> None:
        if report.metrics:
            looks[report.step] = report.metrics

    with tempfile.TemporaryDirectory() as folder:
        result = train(recipe, Path(folder) / "run", watchers=[watch])
    found = {**looks[result.best_step or result.step], **result.metrics}
    return {name: value for name, value in found.items() if name.startswith(("val_", "test_")) and isinstance(value, float)}


def machine() -> dict[str, Any]:
    here = record.environment(torch.device("cpu"))
    return {
        "threads": torch.get_num_threads(),
        "cpu": here["cpu"],
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }


def waits(recipe: Recipe) -> bool:
    """Whether the recipe is for a file that the user has to name: there is nothing to measure."""
    return getattr(recipe.data, "path", None) == ""


# ---- when to measure again ----


def inputs_hash(name: str, recipe: Recipe) -> str:
    """SHA-256 of everything that a recipe's figures follow from. Builds the data, which it has to read for their fingerprint."""
    source = {module: computing(path) for module, path in sorted(modules([f"danlu.recipes.{name}"]).items())}
    parts = [to_data(recipe, full=True), source, build.data(recipe).fingerprint, torch.__version__.partition("+")[0], THREADS, SEEDS]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


# ---- what it says ----


def sentence(name: str, result: dict[str, Any]) -> Sentence:
    """What the recipe's docstring says: `test_accuracy 0.981 ± 0.003, ...`; the spread is the standard deviation over seeds."""
    claimed = CLAIMS[name]
    shown = [f"{figure} {_mean(result['figures'][figure])}" for figure in (*claimed.least, *claimed.most)]
    seconds = statistics.mean(result["cpu_seconds"])
    threads = "1 thread" if result["threads"] == 1 else f"{result['threads']} threads"
    took = f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"
    seeds = len(result["seeds"])
    return Sentence(
        f"Reaches {', '.join(shown)} (mean and deviation of {seeds} seeds) in {took} CPU-seconds on {threads}.",
        f"实测 {'、'.join(shown)}（{seeds} 个种子的均值与标准差），{result['threads']} 个线程，{took} CPU 秒。",
    )


def write_sentence(path: Path, said: Sentence) -> None:
    """Put it into the docstring of the recipe in that file, above and below the Chinese summary, in place of what is there."""
    text = path.read_text("utf-8")
    without = re.sub(r'    (Reaches [^"]*? threads?\.|中文: 实测 .*)\n\n', "", text)
    paragraph = textwrap.fill(said.en, 140, initial_indent="    ", subsequent_indent="    ")
    path.write_text(re.sub(r"(    中文: .*\n\n)", rf"{paragraph}\n\n\1    中文: {said.zh}\n\n", without, count=1), "utf-8")


def _mean(values: list[float]) -> str:
    return f"{statistics.mean(values):.4g} ± {statistics.stdev(values):.1g}"


def broken(name: str, result: dict[str, Any]) -> list[str]:
    """What of the claim does not hold."""
    claimed, means = CLAIMS[name], {figure: statistics.mean(values) for figure, values in result["figures"].items()}
    found = [f"{figure} {means[figure]:.4g} < {bound}" for figure, bound in claimed.least.items() if not means[figure] >= bound]
    found += [f"{figure} {means[figure]:.4g} > {bound}" for figure, bound in claimed.most.items() if not means[figure] <= bound]
    return found + [f"{seconds} CPU-s > {claimed.seconds}" for seconds in result["cpu_seconds"] if seconds > claimed.seconds]


def _row(found: dict[str, float]) -> str:
    return "  ".join(f"{figure} {value:.4g}" for figure, value in sorted(found.items()))


def read() -> dict[str, Any]:
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Measure the recipes whose inputs have changed.")
    parser.add_argument("names", nargs="*", metavar="RECIPE", help="measure these only (all)")
    parser.add_argument("--check", action="store_true", help="measure nothing; say which are stale, with exit code 1 if any is")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(THREADS)
    bad = 0
    for name in asked.names or [found.name for found in find.catalogue("recipe", others=False) if not waits(found.load()())]:
        recipe, before = load_recipe(name), read().get(name)
        digest = inputs_hash(name, recipe)
        if before and before["hash"] == digest:
            print(f"{name}: up to date")
            result = before
        elif asked.check:
            print(f"{name}: {'stale' if before else 'never measured'}")
            bad += 1
            continue
        else:
            print(f"{name}: measuring", flush=True)
            result = {"hash": digest, **measure(recipe)}
            RESULTS.write_text(json.dumps({**read(), name: result}, indent=1, sort_keys=True) + "\n", "utf-8")
        said = sentence(name, result)
        print(f"  {said.en}")
        if not asked.check:
            write_sentence(PACKAGE / "recipes" / f"{name}.py", said)
        for failure in broken(name, result):
            print(f"  DOES NOT HOLD: {failure}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
