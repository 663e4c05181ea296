"""Law 7: a training that was stopped, saved and taken up again is the one that was not, bit for bit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import torch

from danlu.core import Recipe, Run, Technique
from danlu.keys import Keyed
from danlu.run import checkpoint
from danlu.testing.compare import Course, Said, named, rest, steps


def resume(technique: Technique, recipe: Recipe) -> None:
    """7: n steps equal k steps, saved to disk, loaded into a new run, and n - k more, bit for bit, for every k; averages and stops too."""
    resumes(recipe)


def resumes(recipe: Recipe, at: Iterable[int] | None = None) -> Course:
    """Hold the training to the law at the steps `at` (None: at every one, the first and the last too); the whole course."""
    names = named(recipe.techniques)
    whole = rest(Run(recipe))
    with tempfile.TemporaryDirectory() as folder:
        for k in range(len(whole.reports) + 1) if at is None else at:
            head = save(recipe, k, Path(folder))
            found = go_on(recipe, k, Path(folder), head)
            at_k = f"{names}: resumed at step {k} it"
            assert found.reports == whole.reports, f"{at_k} goes on differently: {found.reports} != {whole.reports}"
            for what, mine, other in zip(("weights", "average"), found[1:], whole[1:]):
                differs = [name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name)]
                assert not differs, f"{at_k} ends with other {what}: {', '.join(sorted(differs))}"
    return whole


def save(recipe: Recipe, k: int, folder: Path) -> list[Said]:
    """Train k steps and save as `folder/step-k`; what was said until then."""
    with Run(recipe) as run:
        head = steps(run, k)
        for technique in run.techniques:
            missing = [key for key in technique.state if not hasattr(technique, key)]
            assert not missing, f"{named([technique])}: after {k} steps it has no {', '.join(missing)}, which it declares as state"
        checkpoint.write(checkpoint.image(run.state()), folder, k, stays=lambda step: True)
    return head


def go_on(recipe: Recipe, k: int, folder: Path, head: Iterable[Said] = ()) -> Course:
    """A new run of what is saved as `folder/step-k`, trained to its end; torch's generator and danlu's key are not as they were left."""
    Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls = 0, 0, None, {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(k)
        run = Run(recipe)
        run.load(checkpoint.read(folder / f"step-{k}"))
        return rest(run, head)
