"""Activation checkpointing against the same training without it: the same bits, and the bytes that arithmetic foretells."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from danlu.core import Recipe, Run
from danlu.cost import activations
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import Refused
from danlu.nets.dropout import Dropout, named
from danlu.nets.gpt import GPT
from danlu.optim.first_order import SGD, AdamW
from danlu.techniques.gradient.kfac import KFAC
from danlu.techniques.gradient.natural_gradient import NaturalGradient
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.model.activation_checkpointing import ActivationCheckpointing
from danlu.testing.compare import next_batches, same, weights

ROWS, WIDTH, DEPTH = 16, 32, 6


class Block(nn.Module):
    """x + linear(dropout(tanh(norm(linear(x))))), with either dropout."""

    def __init__(self, foreign: bool):
        super().__init__()
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.norm = nn.BatchNorm1d(4 * WIDTH)
        self.dropout = nn.Dropout(0.3) if foreign else Dropout(0.3)

    def forward(self, x, scale):
        return x + scale * self.down(self.dropout(torch.tanh(self.norm(self.up(x)))))


class Net(nn.Module):
    def __init__(self, foreign: bool):
        super().__init__()
        self.layers = nn.ModuleList(Block(foreign) for _ in range(DEPTH))
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x):
        for block in self.layers:
            x = block(x, scale=0.5)
        return self.head(x)


def recipe(*techniques, foreign=False, **fields):
    x = torch.randn(64, WIDTH, generator=torch.Generator().manual_seed(0))
    facts = Facts("classify", (WIDTH,), 3, labels=("a", "b", "c"), rows=64)
    data = Data(Tensors(x, x[:, :3].argmax(1)), facts)
    return Recipe(
        lambda: named(Net(foreign)), lambda: data, optimizer=SGD(lr=0.1, momentum=0.9), steps=4, batch_size=ROWS, techniques=techniques,
        device="cpu", **fields,
    )  # fmt: skip


def trained(asked):
    with Run(asked) as run:
        losses = [float(report.loss) for report in run]
        return weights(run), losses


def kept(asked):
    with Run(asked) as run:
        return activations(run, next_batches(run)[0])


@pytest.mark.parametrize("keep", ["nothing", "products"])
@pytest.mark.parametrize("foreign", [True, False])
@pytest.mark.parametrize(
    "others",
    [(), (SAM(rho=0.1),), (KFAC(),), (NaturalGradient(damping=0.1, exact_up_to=0, iterations=3),)],
    ids=["alone", "sam", "kfac", "natural"],  # the last differentiates the same look several times
)
def test_trains_the_same_bits(keep, foreign, others):
    (plain, losses), (own, again) = (
        trained(recipe(*others, foreign=foreign)),
        trained(recipe(ActivationCheckpointing(keep=keep), *others, foreign=foreign)),
    )
    assert losses == again and same(plain, own)


def test_bytes_kept_are_the_blocks_inputs():
    plain, own = kept(recipe()), kept(recipe(ActivationCheckpointing()))
    wide = ROWS * WIDTH * 4
    assert own <= (DEPTH + 2) * wide  # an input for each block, and what the head and the loss keep
    assert plain >= DEPTH * 3 * 4 * wide  # a block keeps at least what its norm, tanh and second layer took
    products = kept(recipe(ActivationCheckpointing(keep="products")))
    assert own <= products < plain


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_budget_is_kept_with_as_few_blocks_as_possible(share):
    plain, least = kept(recipe()), kept(recipe(ActivationCheckpointing()))
    budget = least + share * (plain - least)
    found = kept(recipe(ActivationCheckpointing(budget=budget / 2**20)))
    assert found <= budget
    assert found + (plain - least) / DEPTH > 0.99 * budget, "one more block could have been kept"


def test_gpt_and_a_plain_sequence_keep_less():
    tokens = torch.randint(0, 50, (16, 64), generator=torch.Generator().manual_seed(0))
    data = Data(Tensors(tokens, tokens.roll(-1, 1)), Facts("language", (64,), 50, vocab=50, rows=16))
    gpt = Recipe(GPT(width=32, depth=4, heads=2, dropout=0.1), lambda: data, optimizer=AdamW(lr=1e-3), steps=2, batch_size=8, device="cpu")
    chain = replace(
        recipe(),
        model=lambda: nn.Sequential(*(layer for _ in range(8) for layer in (nn.Linear(WIDTH, WIDTH), nn.Tanh())), nn.Linear(WIDTH, 3)),
    )
    for asked, part in ((gpt, 0.35), (chain, 0.5)):
        own = replace(asked, techniques=(ActivationCheckpointing(),))
        assert kept(own) < part * kept(asked)
        (plain, losses), (again, other) = trained(asked), trained(own)
        assert losses == other and same(plain, again)


def test_a_model_without_blocks_is_refused():
    with pytest.raises(Refused, match="nothing to compute again"):
        Run(replace(recipe(ActivationCheckpointing()), model=lambda: nn.Linear(WIDTH, 3)))
