"""Random recipes, held to what is claimed of every one. $DANLU_FUZZ says how many; HYPOTHESIS_PROFILE=search draws other ones."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from fuzz import claims, drawing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from danlu.errors import Trouble

pytestmark = pytest.mark.slow

COUNT = int(os.environ.get("DANLU_FUZZ", "60"))
MOST_REFUSED = 0.2
many = settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))


def test_random_recipes_train_resume_and_come_back_or_are_refused(capsys):
    tally: Counter[str] = Counter()
    reasons: Counter[str] = Counter()

    @many
    @given(drawing.recipes(), st.integers(0, 40), st.integers(1, 16))
    def each(recipe, at, size):
        claims.comes_back(recipe)
        found = claims.trains(recipe, at)
        if isinstance(found, Trouble):
            tally["refused"] += 1
            reasons[found.sentence.en[:90]] += 1
        else:
            tally["trained"] += 1
            split = claims.same_split(recipe, size)
            tally[{None: "not split", True: "split to 1e-9", False: "gradients of a split to 1e-9"}[split]] += 1

    each()
    share = tally["refused"] / (tally["refused"] + tally["trained"])
    with capsys.disabled():
        print(f"\n{share:.1%} of {tally['refused'] + tally['trained']} random recipes refused; {dict(tally)}")
        for reason, count in reasons.most_common():
            print(f"  {count:4}  {reason}")
    assert share <= MOST_REFUSED
