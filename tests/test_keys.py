"""Random numbers as functions of names: uniform, uncorrelated, and independent of the batch that a sample is in."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from danlu.keys import Keyed, generator, mix, mixes, uniform, unkeyed

torch.set_num_threads(1)

WORDS = st.lists(st.integers(-(2**70), 2**70) | st.text(max_size=8), min_size=1, max_size=5)


@pytest.fixture(autouse=True)
def restored():
    before = Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls
    yield
    Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls = before


# ---- mix --------------------------------------------------------------------


@given(WORDS)
def test_mix_is_63_bits_and_a_function(words):
    value = mix(*words)
    assert 0 <= value < 2**63 and value == mix(*words)


def test_mix_has_no_collisions_on_what_a_run_draws_with():
    names = ["order", "fetch", "dropout", "evaluation", "mixup", "init", ""]
    tuples = [(seed, name, step, sample) for seed in range(5) for name in names for step in range(60) for sample in range(60)]
    tuples += list(itertools.product(range(-20, 20), repeat=3)) + list(itertools.product(range(200), repeat=2))
    assert len({mix(*words) for words in tuples}) == len(tuples) > 200_000


def test_mix_tells_order_and_length_apart():
    assert (
        len({mix(1, 2), mix(2, 1), mix(1), mix(1, 0), mix(0, 1), mix(1, 2, 0), mix(), mix(0), mix("a", "b"), mix("b", "a"), mix("ab")})
        == 11
    )


def test_every_bit_of_a_word_moves_half_of_the_bits():
    for word, bit in itertools.product((0, 1, 12345, 2**40), range(64)):
        changed = (mix(7, word) ^ mix(7, word ^ (1 << bit))).bit_count()
        assert 12 <= changed <= 51, (word, bit, changed)  # 31.5 +- 5 sigma


def test_mix_is_the_same_in_every_process():
    code = "from danlu.keys import mix; print(mix(3, 'order', 5), mix('网络', -1))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "77"}).stdout
    assert other.split() == [str(mix(3, "order", 5)), str(mix("网络", -1))]


def test_generators_of_two_purposes_differ():
    draws = [
        torch.randperm(50, generator=generator(*words)).tolist()
        for words in [(0, "order", 0), (0, "order", 1), (1, "order", 0), (0, "x", 0)]
    ]
    assert len(set(map(tuple, draws))) == 4
    assert torch.randperm(50, generator=generator(0, "order", 0)).tolist() == draws[0]


# ---- uniform ----------------------------------------------------------------

IDS = {
    "low": torch.arange(50_000),
    "high": torch.arange(50_000) + 2**40,
    "spread": torch.arange(50_000) * 2**20,
    "even": torch.arange(50_000) * 2,
    "copies": (torch.arange(50_000) % 500) + (torch.arange(50_000) // 500 << 40),
}


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
@pytest.mark.parametrize("words", [(0,), (0, "dropout", "a.b", 3, 0)])
def test_uniform_over_ids(ids, words):
    u = uniform(ids, *words)
    assert u.dtype == torch.float32 and u.shape == ids.shape and u.min() >= 0 and u.max() < 1
    assert stats.kstest(u.double().numpy(), "uniform").pvalue > 1e-4
    low = (u.double() * 2**24).long() % 256  # the low bits too
    assert stats.chisquare(low.bincount(minlength=256).numpy()).pvalue > 1e-4
    assert len(u.unique()) > 49_900  # of 2**24 values: 75 repeats expected


def test_uniform_over_places_of_one_row_and_over_steps():
    places = uniform(torch.tensor([7]), 0, "dropout", shape=(50_000,))[0]
    over_steps = torch.stack([uniform(torch.tensor([7]), 0, "dropout", step) for step in range(5000)]).flatten()
    for u in (places, over_steps):
        assert stats.kstest(u.double().numpy(), "uniform").pvalue > 1e-4


def correlation(a, b):
    return torch.corrcoef(torch.stack([a.flatten().double(), b.flatten().double()]))[0, 1].abs().item()


def test_neighbours_are_uncorrelated():
    n = 40_000
    bound = 5 / n**0.5
    ids = torch.arange(n)
    base = uniform(ids, 0, "dropout", "net.0", 10, 0)
    others = {
        "id": uniform(ids + 1, 0, "dropout", "net.0", 10, 0),
        "id bit": uniform(ids ^ 1, 0, "dropout", "net.0", 10, 0),
        "high id": uniform(ids + (1 << 40), 0, "dropout", "net.0", 10, 0),
        "seed": uniform(ids, 1, "dropout", "net.0", 10, 0),
        "path": uniform(ids, 0, "dropout", "net.1", 10, 0),
        "step": uniform(ids, 0, "dropout", "net.0", 11, 0),
        "call": uniform(ids, 0, "dropout", "net.0", 10, 1),
        "purpose": uniform(ids, 0, "mask", "net.0", 10, 0),
    }
    for name, other in others.items():
        assert correlation(base, other) < bound, name
        assert correlation((base < 0.1).float(), (other < 0.1).float()) < bound, name  # as dropout uses them
    grid = uniform(torch.arange(300), 0, shape=(300,))
    shifted = [(grid[1:], grid[:-1]), (grid[:, 1:], grid[:, :-1]), (grid[1:, 1:], grid[:-1, :-1]), (grid[::2], grid[1::2]), (grid, grid.T)]
    for place, (a, b) in enumerate(shifted):
        off = ~torch.eye(300, dtype=torch.bool) if place == 4 else torch.ones_like(a, dtype=torch.bool)
        assert correlation(a[off], b[off]) < 6 / a.numel() ** 0.5, place


@settings(max_examples=100, deadline=None)
@given(
    ids=st.lists(st.integers(0, 2**62), min_size=1, max_size=20),
    words=WORDS,
    shape=st.sampled_from([(), (1,), (3,), (2, 3)]),
    data=st.data(),
)
def test_a_row_does_not_depend_on_its_batch(ids, words, shape, data):
    order = data.draw(st.permutations(range(len(ids))))
    ids = torch.tensor(ids)
    whole = uniform(ids, *words, shape=shape)
    assert whole.shape == (len(ids), *shape)
    assert torch.equal(whole[order], uniform(ids[order], *words, shape=shape))
    assert all(torch.equal(whole[k : k + 1], uniform(ids[k : k + 1], *words, shape=shape)) for k in range(len(ids)))


def test_no_generator_is_touched():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    uniform(torch.arange(9), 1, shape=(4,))
    generator(3).initial_seed()
    assert torch.equal(before, torch.get_rng_state())


# ---- the key of an evaluation -----------------------------------------------


def look(ids, step=0, seed=0):
    Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls = seed, step, ids, {}


def test_draws_are_keyed_by_everything_and_numbered_by_call():
    look(torch.arange(6), step=2, seed=9)
    first, second = Keyed.draw("a", (3,), 6), Keyed.draw("a", (3,), 6)
    assert torch.equal(first, uniform(torch.arange(6), 9, "dropout", "a", 2, 0, shape=(3,)))
    assert torch.equal(second, uniform(torch.arange(6), 9, "dropout", "a", 2, 1, shape=(3,)))
    assert torch.equal(Keyed.draw("b", (3,), 6), uniform(torch.arange(6), 9, "dropout", "b", 2, 0, shape=(3,)))
    look(torch.arange(6), step=2, seed=9)
    assert torch.equal(first, Keyed.draw("a", (3,), 6))  # a second look replays


def test_copies_of_a_batch_draw_each_for_themselves_and_any_split_alike():
    look(torch.arange(6))
    copies = Keyed.draw("a", (4,), 18).view(3, 6, 4)
    assert len({tuple(row.tolist()) for row in copies.flatten(0, 1)}) == 18  # nor does a copy draw what another row does
    look(torch.arange(3, 6))
    assert torch.equal(Keyed.draw("a", (4,), 9).view(3, 3, 4), copies[:, 3:])
    look(torch.arange(6))
    assert Keyed.draw("a", (4,), 7) is None  # no multiple: nobody knows whose rows they are


def test_outside_a_step_nothing_is_keyed():
    look(None)
    assert Keyed.draw("a", (), 3) is None
    ids = torch.arange(3)
    look(ids)
    with pytest.raises(ZeroDivisionError), unkeyed():  # noqa: PT012
        assert Keyed.draw("a", (), 3) is None
        raise ZeroDivisionError
    assert Keyed.ids is ids


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5), st.integers(0, 2**40), st.text(max_size=8))
def test_mixes_is_mix_of_every_row(seeds: list[int], step: int, path: str) -> None:
    words = np.array(seeds, dtype=np.uint64)[None, :], "dropout", path, np.array([step, step + 1])[:, None], 3
    assert mixes(*words).tolist() == [[mix(seed, "dropout", path, s, 3) for seed in seeds] for s in (step, step + 1)]
