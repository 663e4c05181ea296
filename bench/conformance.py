"""Every optimiser by the same measures, as the table of docs/optimisers.md: python bench/conformance.py [OPTIMISER ...] [--write].

What each measure is stands in `danlu.testing.conformance`, which the tests hold to bounds; here the figures themselves are written down.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from own import described
from page import replace_section, section

from danlu.find import catalogue
from danlu.testing import conformance

HEAD = """Written by `python bench/conformance.py --write`: nothing here is typed by hand. Each optimiser with danlu's defaults but for the
learning rate, which is the best of {factors} times its default (the factor is beside the figure). On one
CPU thread, torch {torch}.

- **steps**: whose they are: what torch has is torch's, with the fastest kernels that are right; **beside**: what `tests/optim` compares
  its path with: values recorded from another library, or its formula written out.
- **bowl**: a quadratic of condition 100, 300 steps; **valley**: Rosenbrock's function of 4 numbers, 1000 steps; **regression**: a matrix
  between two others, condition 100, 300 steps. All in float64 without noise, without decay of the rate: the loss at the end over that at
  the start. Muon and Lion take steps of one length, so without a decay they stop at that distance.
- **net**: a small classifier, 40 steps of 8 rows: its training loss at the end over that of guessing.
- **resume**: n steps equal k steps, saved, loaded and n - k more, bit for bit, for every k.
- **split**: the largest difference of any weight, in float64, after 6 steps whole and in two micro-batches.
- **bf16, fp16**: the net at the default rate, its loss less that of float32 (fp16 with a loss scale).
- **groups**: decay reaches matrices only, and each layer has its rate.
- **state**: numbers kept for each parameter, in a net of 64 by 64 matrices, after two steps.

L-BFGS is measured with three iterations a step (by default it minimises each batch, and rounding grows within a step); it takes all
parameters as one group, and needs closures. Gradients of sparse embeddings are moved by SGD without momentum, Adagrad and L-BFGS, and
refused by the others in a sentence; complex parameters are moved by L-BFGS and refused by the others.

| optimiser | steps | beside | bowl | valley | regression | net | resume | split | bf16 | fp16 | groups | state |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
REFERENCES = Path(__file__).parent.parent / "tests" / "optim" / "references.json"


def beside(name: str) -> str:
    """The libraries whose recorded values it is compared with, or "its formula" (`tests/optim/test_references.py`)."""
    found = {case["by"].partition(".")[0] for case in json.loads(REFERENCES.read_text("utf-8"))["cases"] if case["optimizer"] == name}
    return ", ".join(sorted(found)) or ("scipy" if name == "lbfgs" else "its formula")


def row(name: str, description: Any, own: bool = False) -> str:
    found = [conformance.best(partial(conformance.descended, description, toy)) for toy in conformance.TOYS]
    found.append(conformance.best(partial(conformance.learned, description)))
    falls = [f"{value:.1e} (x{factor:g})" for value, factor in found]
    plain = conformance.learned(description)
    low = [f"{conformance.learned(description, precision=name) - plain:+.3f}" for name in ("bf16", "fp16")]
    yes = ["no", "yes"]
    resumes, spares = yes[conformance.resumes(description)], yes[conformance.spares(description)] if name != "lbfgs" else "one"
    whose = ["its own", ""] if own else [conformance.origin(description), beside(name)]
    split, size = f"{conformance.accumulates(description):.0e}", f"{conformance.state_size(description):.2f}"
    return f"| {' | '.join([name, *whose, *falls, resumes, split, *low, spares, size])} |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="OPTIMISER", help="measure these only; the other rows stay as they are written (all)")
    parser.add_argument("--write", action="store_true", help="write it into docs/optimisers.md")
    parser.add_argument("--add", action="append", default=[], metavar="FILE.py:NAME", help="a person's own optimiser, as one more row")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    text = HEAD.format(factors=", ".join(f"{factor:g}" for factor in conformance.FACTORS), torch=torch.__version__)
    added = described(asked.add)
    named = {found.name: found.load()() for found in catalogue("optimizer", others=False)} | added
    named["lbfgs"] = replace(named["lbfgs"], max_iter=3)
    old = {line.split()[1]: f"{line}\n" for line in section("Conformance").splitlines() if line.startswith("| ")}
    for name, description in named.items():
        measured = not asked.names or name in asked.names or name not in old
        line = row(name, description, name in added) if measured else old[name]
        print(line, end="", flush=True)
        text += line
    if asked.write:
        replace_section("Conformance", text)


if __name__ == "__main__":
    main()
