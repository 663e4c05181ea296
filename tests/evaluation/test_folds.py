"""Folds partition the rows, are stratified, keep equal rows and groups together, and go forward in time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import danlu
from danlu.data.table_split import TEST, TRAIN, VAL
from danlu.evaluation.folds import LEFT_OUT, folds


def hashes(count, seed=0):
    return np.random.default_rng(seed).integers(0, 2**63, count).astype(np.uint64)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6), st.lists(st.integers(0, 40), min_size=45, max_size=120), st.lists(st.integers(0, 3), min_size=120, max_size=120))
def test_each_row_is_held_out_once(count, content, labels):
    own = hashes(41)[content]
    if len(set(content)) < count:
        return
    made = list(folds(count, own, np.array(labels[: len(content)])))
    assert (sum((parts == TEST).astype(int) for parts in made) == 1).sum() >= len(content) - _torn(content, labels)
    for parts in made:
        assert set(parts) <= {TRAIN, VAL, TEST} and (parts == TRAIN).any()


def _torn(content, labels):
    """Rows whose content stands under more than one label."""
    seen = {}
    for one, label in zip(content, labels):
        seen.setdefault(one, set()).add(label)
    return sum(len(seen[one]) > 1 for one in content)


def test_equal_rows_stay_together():
    own = hashes(30)[np.arange(90) % 30]
    for parts in folds(5, own):
        for content in np.unique(own):
            assert len({part == TEST for part in parts[own == content]}) == 1


def test_stratified():
    classes = np.repeat([0, 1, 2], [100, 30, 10])
    for parts in folds(5, hashes(140), classes):
        assert np.bincount(classes[parts == TEST]).tolist() == [20, 6, 2]


def test_groups_are_never_torn():
    groups = hashes(12)[np.random.default_rng(1).integers(0, 12, 200)]
    for parts in folds(4, hashes(200), np.arange(200) % 2, groups=groups):
        held = set(groups[parts == TEST])
        assert not held & set(groups[parts != TEST]) and len(held) == 3
        assert not set(groups[parts == VAL]) & set(groups[parts == TRAIN])


def test_in_time():
    times = np.random.default_rng(0).permutation(120).astype(float)
    made = list(folds(5, hashes(120), times=times))
    for parts in made:
        assert times[parts == TRAIN].max() < times[parts == VAL].min() <= times[parts == VAL].max() < times[parts == TEST].min()
        assert (parts == TEST).sum() == 20
    assert [(parts == LEFT_OUT).sum() for parts in made] == [80, 60, 40, 20, 0]
    assert sum((parts == TEST).astype(int) for parts in made).max() == 1


def test_repeats_deal_anew_and_rows_do_not_mind_their_order():
    own = hashes(60)
    first, again, other = (np.array(list(folds(3, own, repeat=repeat))) for repeat in (0, 0, 1))
    assert (first == again).all() and (first != other).any()
    order = np.random.default_rng(2).permutation(60)
    assert (np.array(list(folds(3, own[order]))) == first[:, order]).all()


def test_among_some_rows():
    among = np.arange(60) % 2 == 0
    for parts in folds(3, hashes(60), among=among):
        assert (parts[~among] == LEFT_OUT).all() and (parts[among] != LEFT_OUT).all()


def test_too_many():
    with pytest.raises(danlu.BadInput, match="3 different"):
        list(folds(4, hashes(3)[np.arange(30) % 3]))
    with pytest.raises(danlu.BadInput):
        list(folds(4, hashes(30), times=np.arange(30) % 2))
