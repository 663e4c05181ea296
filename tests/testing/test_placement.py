"""Law 8: two processes train what one trains; every technique, every optimiser, ragged splits, and what must be caught."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
import toys
from torch import nn

from danlu.core import Technique
from danlu.find import catalogue
from danlu.keys import mix
from danlu.losses.classification import CrossEntropy
from danlu.nets.dropout import Dropout, named
from danlu.placement.ddp import DDP
from danlu.placement.fsdp import FSDP
from danlu.placement.zero import Zero
from danlu.techniques.model.ghost_norm import GhostNorm
from danlu.testing.placement import SPLITS, equal, placement, rows
from danlu.testing.ranks import Ranks
from danlu.testing.tiny import tiny

TECHNIQUES = list(catalogue("technique", others=False))
OPTIMISERS = list(catalogue("optimizer", others=False))
REFUSED = {("ghost_norm", "uneven"), ("mixup", "uneven")}  # groups and pairs of rows that the split would part: on one process too


@pytest.fixture(scope="module")
def ranks() -> Iterator[Ranks]:
    with Ranks(2) as started:
        yield started


def test_plain(ranks):
    assert not equal(tiny(split=True), ranks, DDP())


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("found", TECHNIQUES, ids=lambda found: found.name)
def test_every_technique(found, split, ranks):
    example = found.load().example()
    refused = placement(example, tiny(example, split=True, **SPLITS[split]), ranks, DDP())
    assert bool(refused) == ((found.name, split) in REFUSED), refused


@pytest.mark.slow
@pytest.mark.parametrize("found", OPTIMISERS, ids=lambda found: found.name)
def test_every_optimiser(found, ranks):
    settings = {"max_iter": 3} if found.name == "lbfgs" else {}  # more on eight rows reach a flat place, where rounding decides
    assert not equal(tiny(optimizer=found.load()(**settings), split=True, **SPLITS["uneven"]), ranks, DDP())


SHARE = 8  # one of so many shares of the cells of divided placements is tried by one commit; all of them by bench/placements.py
DIVIDED = {"fsdp": FSDP(), "zero": Zero()}
CELLS = sorted(((where, split, name) for where in DIVIDED for split in SPLITS for name, _ in rows(split)), key=lambda cell: mix(*cell))


def turn() -> int:
    """The share that $DANLU_CELLS names, else the one that the commit's digest says, so that commits take turns."""
    wish = os.environ.get("DANLU_CELLS")
    if wish is None and shutil.which("git"):
        done = subprocess.run(["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"], capture_output=True, text=True)
        wish = str(int(done.stdout, 16) % SHARE) if done.returncode == 0 else None
    return int(wish or 0)


@pytest.mark.slow
@pytest.mark.parametrize(("where", "split", "name"), CELLS[turn() :: SHARE])
def test_divided(where, split, name, ranks):
    refused = equal(dict(rows(split))[name], ranks, DIVIDED[where], name)
    assert bool(refused) == ((name, split) in REFUSED), refused


def attentive() -> nn.Module:
    """Attention over five positions, with biases, norms and keyed dropout."""
    layer = nn.TransformerEncoderLayer(6, 2, 12, dropout=0.0, batch_first=True)
    return named(nn.Sequential(layer, Dropout(0.1), nn.Linear(6, 3)))


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("smoothing", "where"), [(0.0, DDP()), (0.1, DDP()), (0.1, FSDP())], ids=str)
def test_unequal_token_counts(split, smoothing, where, ranks):
    recipe = tiny(model=attentive, data=toys.tokens, loss=CrossEntropy(label_smoothing=smoothing), **SPLITS[split])
    assert not equal(recipe, ranks, where)


def test_batch_norm_of_stated_groups(ranks):
    assert not equal(tiny(GhostNorm(size=4), model=tiny_plain_norm, micro_batch_size=4), ranks, DDP())


def tiny_plain_norm() -> nn.Module:
    return named(nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), Dropout(0.2), nn.Linear(8, 3)))


def only_norm() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))


def test_batch_norm_is_that_of_the_batch_on_all_processes(ranks):
    """40 rows in batches of 12: the last has 4."""
    assert not equal(tiny(model=only_norm, batch_size=12), ranks, DDP())


@pytest.mark.parametrize("sizes", [{"micro_batch_size": 2}, {"micro_batch_size": 8}, {"batch_size": 39}], ids=str)
def test_batch_norm_that_would_depend_on_the_split_is_refused_by_all_processes(sizes, ranks):
    """Several micro-batches on a process; fewer than there are processes; a last batch of one row."""
    sentence = equal(tiny(model=only_norm, **sizes), ranks, DDP())
    assert "ghost_norm" in sentence or "single row" in sentence


class Branch(nn.Module):
    """A layer that only rows with an even first id reach: some micro-batches, and some processes, have no gradient for it."""

    def __init__(self) -> None:
        super().__init__()
        self.always, self.never, self.sometimes = nn.Linear(6, 3), nn.Linear(6, 3), nn.Linear(6, 3)

    def forward(self, x):
        out = self.always(x)
        return out + self.sometimes(x) if float(x[0, 0]) > 0 else out


@pytest.mark.parametrize("where", [DDP(), pytest.param(FSDP(), marks=pytest.mark.slow)], ids=str)
def test_a_parameter_that_some_processes_do_not_reach(where, ranks):
    """Even weight decay is the same: no gradient anywhere leaves a parameter alone, a gradient somewhere moves it everywhere."""
    assert not equal(tiny(model=Branch, split=True), ranks, where)


def test_buckets_of_any_size(ranks):
    assert not equal(tiny(split=True), ranks, DDP(bucket=1e-5))


@pytest.mark.slow
def test_four_processes():
    with Ranks(4) as four:
        assert not equal(tiny(split=True, batch_size=12, micro_batch_size=2), four, DDP())


# ---- broken ones ----


@dataclass
class LocalScale(Technique):
    """Scales the gradient by a number of its own process."""

    neutral: ClassVar = {}

    def wrap_gradient(self, gradient, run):
        def scaled(objective, batches):
            outcome = gradient(objective, batches)
            for p in run.trainable():
                p.grad *= 1 + 1e-3 * run.placement.rank
            return outcome

        return scaled


@dataclass
class LocalCount(Technique):
    """Divides by the rows that this process has, not by those of the step."""

    neutral: ClassVar = {}

    def wrap_gradient(self, gradient, run):
        def scaled(objective, batches):
            outcome = gradient(objective, batches)
            rows = run.placement.sum(sum(len(batch.ids) for batch in batches[:1]))
            for p in run.trainable():
                p.grad *= rows
            return outcome

        return scaled


@pytest.mark.parametrize(("broken", "said"), [(LocalScale(), "than process 0"), (LocalCount(), "away from where one process ends")])
def test_a_technique_that_looks_at_its_own_process_only_is_caught(broken, said, ranks):
    with pytest.raises(AssertionError, match=said):
        placement(broken, tiny(broken, split=True, **SPLITS["uneven"]), ranks, DDP())


def test_processes_that_are_not_of_one_mind_refuse_together(ranks):
    found = ranks.call(seeded, tiny(split=True, placement=DDP()))
    assert all("another model" in sentence for sentence in found)


def seeded(recipe):
    """What the run is refused with when each process has a seed of its own."""
    import os

    from danlu.testing.placement import course

    return course(replace(recipe, seed=int(os.environ["RANK"]))).refused
