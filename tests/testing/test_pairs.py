"""Law 11: any two techniques together; a tenth of the pairs for each commit, all of them with DANLU_PAIRS=all (or =0 to =9: that tenth)."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from danlu.core import Run, Technique
from danlu.errors import BadInput, Refused, Sentence
from danlu.find import catalogue, find
from danlu.optim.first_order import SGD
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.model.ghost_norm import GhostNorm
from danlu.techniques.stream.mixup import MixUp
from danlu.techniques.update.ema import EMA
from danlu.testing import laws
from danlu.testing.pairs import ordered, pair, refusal, tenth
from danlu.testing.tiny import tiny


def chosen() -> list[tuple[str, str]]:
    """The pairs of this run: those that $DANLU_PAIRS names, else the tenth that the commit's digest says, so that commits take turns."""
    wish = os.environ.get("DANLU_PAIRS")
    if wish is None and shutil.which("git"):
        done = subprocess.run(["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"], capture_output=True, text=True)
        wish = str(int(done.stdout, 16) % 10) if done.returncode == 0 else None
    return ordered() if wish == "all" else tenth(int(wish or 0))


@pytest.mark.parametrize("outer, inner", chosen())
def test_two_techniques_train_together_and_resume_or_are_refused(outer, inner):
    pair(find("technique", outer).load().example(), find("technique", inner).load().example())


def test_the_tenths_are_all_ordered_pairs():
    names = [found.name for found in catalogue("technique", others=False)]
    wanted = Counter((outer, inner) for outer in names for inner in names)
    assert Counter(two for place in range(10) for two in tenth(place)) == wanted == Counter(ordered())
    assert {len(tenth(place)) for place in range(10)} <= {len(wanted) // 10, len(wanted) // 10 + 1}


# ---- what is caught ---------------------------------------------------------


def beside(kind: type, run: Run) -> bool:
    return any(isinstance(technique, kind) for technique in run.techniques)


@dataclass
class Alone(Technique):
    """Base of those that keep every law of one technique (they halve the gradient), and break one beside EMA."""

    neutral: ClassVar = "it always halves"
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient, run):
        def halved(objective, batches):
            outcome = gradient(objective, batches)
            for p in run.trainable():
                p.grad *= 0.5
            return outcome

        return halved

    def wrap_update(self, update, run):
        return self.broken(update, run) if beside(EMA, run) else update

    def broken(self, update, run):
        raise NotImplementedError


@dataclass
class Crashes(Alone):
    def broken(self, update, run):
        raise KeyError("average")


@dataclass
class Explodes(Alone):
    """Spoils the weights from the third step on, so that the fourth has no finite loss."""

    def broken(self, update, run):
        def spoiled(evaluate):
            outcome = update(evaluate)
            with torch.no_grad():
                run.trainable()[0].mul_(math.nan if run.step >= 2 else 1.0)
            return outcome

        return spoiled


@dataclass
class Forgets(Alone):
    """Shrinks the weights more with every step, and does not say that it counts."""

    def broken(self, update, run):
        calls = []

        def shrunk(evaluate):
            calls.append(0)
            with torch.no_grad():
                run.trainable()[0].mul_(1 - 0.01 * len(calls))
            return update(evaluate)

        return shrunk


LATE = Sentence("too late after {steps} steps", "{steps} 步之后才说，太晚了")


@dataclass
class TooLate(Alone):
    """Refuses the pair in the middle of the training."""

    def broken(self, update, run):
        def refused(evaluate):
            if run.step == 3:
                raise Refused(LATE, steps=run.step)
            return update(evaluate)

        return refused


@dataclass
class Garbled(Alone):
    """Refuses with a sentence whose Chinese has a value that nobody gives."""

    def broken(self, update, run):
        raise Refused(Sentence("not beside {other}", "不能与 {others} 同用"), other="ema")


@dataclass
class Modest(Alone):
    """Refuses as it should."""

    def broken(self, update, run):
        raise Refused(Sentence("not beside {other}", "不能与 {other} 同用"), other="ema")


@pytest.mark.parametrize("kind", [Crashes, Explodes, Forgets, TooLate, Garbled])
def test_a_technique_that_is_broken_beside_another_is_caught(kind):
    for two in [(kind(), EMA()), (EMA(), kind())]:
        with pytest.raises(AssertionError, match=f"{kind.__name__}.*EMA|EMA.*{kind.__name__}"):
            pair(*two)
    assert pair(kind(), Clip()) == []


def test_the_battery_tries_the_technique_with_every_other():
    with pytest.raises(AssertionError, match="Crashes around EMA: KeyError: 'average'"):
        laws(Crashes)


def test_a_pair_that_is_refused_is_no_broken_law():
    refusals = pair(Modest(), EMA())
    assert [str(each) for each in refusals] == ["not beside ema"] * 2
    laws(Modest)


def test_a_refusal_is_before_the_first_step_and_has_both_languages():
    assert refusal(tiny()) is None
    assert isinstance(refusal(tiny(GhostNorm(size=3), split=True)), BadInput)  # when it is built
    assert isinstance(refusal(replace(tiny(MixUp(alpha=1.0), split=True), micro_batch_size=1)), Refused)  # when it starts
    with pytest.raises(AssertionError, match="too late after 3 steps"):
        pair(TooLate(), EMA())
    with pytest.raises(ZeroDivisionError):
        refusal(tiny(optimizer=lambda params: 1 / 0))


def test_a_diverging_pair_is_told_by_its_steps():
    with pytest.raises(AssertionError, match=r"Clip around Clip: the loss is not finite at steps \[[2-6]"):
        pair(Clip(), Clip(), lambda technique, split: tiny(technique, split=split, optimizer=SGD(lr=1e38)))
