"""A step asks the device for a number once: whether the gradient is finite. Any other question would make a queue of kernels run dry.

The CPU has no queue, so questions are counted as torch dispatches them: `item`, `bool`, `float` and `int` of a tensor, also from inside
torch, and operations whose result's shape is data. On an accelerator torch counts its own waits as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
import toys
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from danlu.core import Recipe, Run, Technique
from danlu.data.source import Data, Facts
from danlu.data.text import Windows
from danlu.find import catalogue
from danlu.nets.gpt import GPT
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.testing.tiny import tiny

ASKING = {"_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive"}
STEPS = 5


class Reads(TorchDispatchMode):
    """Counts the questions asked inside."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation._schema.name.removeprefix("aten::")
        indexed = name in ("index", "index_put", "index_put_") and any(
            i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1]
        )
        self.count += name in ASKING or indexed
        return operation(*args, **(kwargs or {}))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    """Counting, with counts of targets left on the device, as they are on an accelerator; `tolist` and `numpy` are not dispatched."""
    counting = Reads()

    def asking(name: str):
        original = getattr(torch.Tensor, name)

        def ask(tensor: torch.Tensor, *args, **kwargs):
            counting.count += 1
            return original(tensor, *args, **kwargs)

        return ask

    for name in ("tolist", "numpy"):
        monkeypatch.setattr(torch.Tensor, name, asking(name))
    monkeypatch.setattr(torch.Tensor, "is_cpu", False)
    with counting:
        yield counting


def asked(run: Run, reads: Reads) -> list[int]:
    """Questions in each step after the first, which may look round once."""
    counts = []
    for _ in run:
        counts.append(reads.count)
        reads.count = 0
    assert len(counts) == STEPS
    return counts[1:]


def language(vocab: int = 17, length: int = 8) -> Data:
    text = torch.randint(0, vocab, (64 * length,), generator=torch.Generator().manual_seed(0)).to(torch.uint16)
    return Data(Windows(text, length, move=True), Facts("language", (length,), vocab, vocab=vocab))


def gpt(**fields) -> Recipe:
    base = {
        "model": GPT(width=16, depth=2, heads=2, dropout=0.1, tied=True), "data": language, "optimizer": AdamW(), "schedule": Cosine(),
        "steps": STEPS, "batch_size": 8, "device": "cpu",
    }  # fmt: skip
    return Recipe(**(base | fields))


RECIPES = {
    "gpt": gpt(),
    "gpt, bf16": gpt(precision="bf16"),
    "gpt, fp16": gpt(precision="fp16"),
    "gpt, micro-batches": gpt(micro_batch_size=4),
    "batch norm": tiny(steps=STEPS, validate=False),
    "micro-batches": tiny(split=True, steps=STEPS, validate=False),
    "ignored labels": toys.recipe(data=toys.tokens, model=toys.net, loss="auto", optimizer=AdamW(), steps=STEPS),
    "torch's own loss": toys.recipe(data=toys.tokens, model=toys.net, loss=nn.CrossEntropyLoss(), optimizer=AdamW(), steps=STEPS),
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_step_asks_once(name, reads):
    assert asked(Run(RECIPES[name]), reads) == [1] * (STEPS - 1)


# A technique that reports may read what it reports, when it does.
SILENT = [found for found in catalogue("technique", others=False) if found.load().wrap_reports is Technique.wrap_reports]


@pytest.mark.parametrize("found", SILENT, ids=lambda found: found.name)
def test_no_technique_asks_more(found, reads):
    recipe = tiny(found.load().example(), steps=STEPS, validate=False)
    assert max(asked(Run(recipe), reads)) <= 1


def test_the_count_sees_what_it_should(reads):
    x = torch.arange(3.0)
    for ask in (x[0].item, lambda: bool(x[0]), lambda: float(x[0]), lambda: x[x > 1], x.tolist, x.nonzero, lambda: torch.equal(x, x + 1)):
        reads.count = 0
        ask()
        assert reads.count == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch counts waits on CUDA only")
@pytest.mark.parametrize("name", ["gpt", "gpt, bf16", "gpt, micro-batches"])
def test_a_step_waits_once_on_cuda(name):
    waits = []
    steps = iter(Run(replace(RECIPES[name], device="cuda")))
    next(steps)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            for _ in steps:
                waits.append(sum("synchronizing CUDA" in str(w.message) for w in caught))
                caught.clear()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert waits == [1] * (STEPS - 1)
