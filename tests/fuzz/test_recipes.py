"""Random recipes, held to what is claimed of every one. $DANLU_FUZZ says how many; HYPOTHESIS_PROFILE=search draws other ones."""

from __future__ import annotations

import os
from collections import Counter

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from danlu.errors import Trouble
from fuzz import claims, drawing

SAID = ("kfac leaves to the inner optimiser", ".*the line search found no lower loss")  # and trained on
pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200), *(pytest.mark.filterwarnings(f"ignore:{words}") for words in SAID)]

COUNT = int(os.environ.get("DANLU_FUZZ", "80"))
MOST_REFUSED = 0.2
torch.set_num_threads(1)


def many(count):
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


def test_random_recipes_train_resume_and_come_back_or_are_refused(capsys):
    tally: Counter[str] = Counter()
    reasons: Counter[str] = Counter()

    @many(COUNT)
    @given(drawing.recipes(), st.integers(0, 40), st.integers(1, 11))
    def each(recipe, at, size):
        claims.comes_back(recipe)
        found = claims.trains(recipe, at)
        if isinstance(found, Trouble):
            tally["refused"] += 1
            reasons[found.sentence.en[:90]] += 1
        else:
            tally["trained"] += 1
            split = claims.same_split(recipe, size)
            tally[{None: "no split is taken", True: "split: course to 1e-9", False: "split: gradients to 1e-9"}[split]] += 1

    each()
    total = tally["refused"] + tally["trained"]
    with capsys.disabled():
        print(f"\n{tally['refused'] / total:.1%} of {total} random recipes refused; {dict(tally)}")
        for reason, count in reasons.most_common():
            print(f"  {count:4}  {reason}")
    assert tally["refused"] <= MOST_REFUSED * total
    assert tally["split: course to 1e-9"] >= total / 2


@many(COUNT // 2)
@given(drawing.wild(), st.integers(0, 40))
def test_settings_at_the_far_ends_train_and_resume_or_are_refused(recipe, at):
    claims.comes_back(recipe)
    claims.trains(recipe, at, finite=False)
