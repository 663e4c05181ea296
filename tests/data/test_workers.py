"""Worker processes give what this process gives, in order, and move no global generator."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from danlu import messages
from danlu.data.images import Images
from danlu.data.source import Tensors
from danlu.data.text import Windows
from danlu.data.workers import loader
from danlu.errors import BadInput

IMAGES = torch.randint(0, 256, (64, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
ROWS = {
    "images": Images(IMAGES, torch.arange(64), (1.0,), (2.0,), "flip_crop"),
    "windows": Windows(torch.arange(2000).to(torch.uint16), 16, move=True),
    "table": Tensors({"numeric": torch.randn(64, 3), "category": torch.arange(64)[:, None]}, torch.arange(64)),
}


def batches(number=12, size=8):
    for step in range(number):
        yield torch.randperm(64, generator=torch.Generator().manual_seed(step))[:size], step // 5


def leaves(tree):
    return [
        leaf for part in (tree.values() if isinstance(tree, dict) else tree) for leaf in ([part] if torch.is_tensor(part) else leaves(part))
    ]


@pytest.mark.parametrize("name", ROWS)
def test_workers_give_the_same_rows_in_order(name):
    rows = ROWS[name]
    here, there = list(loader(rows, batches(), 0)), list(loader(rows, batches(), 2))
    assert len(here) == len(there) == 12
    for a, b in zip(here, there):
        assert all(torch.equal(x, y) for x, y in zip(leaves(a), leaves(b), strict=True))


def test_global_generators_and_signals_stay_as_they_are():
    torch.manual_seed(5)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist(), signal.getsignal(signal.SIGCHLD)  # noqa: NPY002
    list(loader(ROWS["images"], batches(), 2))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), np.random.get_state()[1].tolist(), signal.getsignal(signal.SIGCHLD)) == before[1:]  # noqa: NPY002


def test_batches_are_asked_for_only_a_little_ahead():
    asked = []

    def endless():
        while True:
            asked.append(len(asked))
            yield torch.arange(4), 0

    stream = loader(ROWS["table"], endless(), 2)
    next(stream)
    assert len(asked) < 12
    stream.close()


def test_closing_ends_the_workers():
    before = set(multiprocessing.active_children())
    stream = loader(ROWS["table"], batches(), 2)
    next(stream)
    assert len(set(multiprocessing.active_children()) - before) >= 2
    stream.close()
    assert set(multiprocessing.active_children()) <= before


@dataclass(frozen=True, eq=False)
class Broken:
    how: str

    def __len__(self):
        return 64

    def fetch(self, ids, epoch):
        if 7 in ids.tolist():
            if self.how == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.how == "sentence":
                raise BadInput(messages.IMAGE_UNREADABLE, path="a.npz", row=7, reason="truncated")
            raise ValueError("a bug")
        return ids, ids


def in_order(size=4):
    return ((torch.arange(start, start + size), 0) for start in range(0, 64, size))


def test_trouble_in_a_worker_keeps_its_sentence():
    with pytest.raises(BadInput, match=r"image 7 of a.npz cannot be read \(truncated\)"):
        list(loader(Broken("sentence"), in_order(), 2))


def test_a_bug_in_a_worker_is_raised_as_it_is():
    with pytest.raises(ValueError, match="a bug"):
        list(loader(Broken("bug"), in_order(), 2))


@pytest.mark.slow
def test_a_worker_that_dies_is_named():
    with pytest.raises(BadInput, match=r"data worker 1 of 2 \(process \d+\) ended unexpectedly with exit code -9"):
        list(loader(Broken("killed"), in_order(), 2))
