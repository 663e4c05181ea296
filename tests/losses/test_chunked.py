"""Chunked cross-entropy against cross-entropy over all positions at once, and what it holds against arithmetic."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from danlu.core import Recipe, Run
from danlu.cost import activations
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import Refused
from danlu.losses.chunked import ChunkedCrossEntropy
from danlu.losses.classification import CrossEntropy
from danlu.nets.gpt import GPT
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.techniques.gradient.kfac import KFAC
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.model.activation_checkpointing import ActivationCheckpointing
from danlu.testing.compare import gradients, next_batches, weights

VOCAB, LENGTH = 200, 16


def recipe(loss, *techniques, tied=False, rows=24, **fields):
    tokens = torch.randint(0, VOCAB, (rows, LENGTH), generator=torch.Generator().manual_seed(0))
    targets = tokens.roll(-1, 1)
    targets[:, -3:] = -100
    data = Data(Tensors(tokens, targets), Facts("language", (LENGTH,), VOCAB, vocab=VOCAB, rows=rows, labelled=False))
    net = GPT(width=32, depth=2, heads=2, dropout=0.1, tied=tied)
    base = {"precision": "fp64", "steps": 4, "batch_size": 8, "device": "cpu", "optimizer": AdamW(lr=1e-2)}
    return Recipe(net, lambda: data, loss, techniques=techniques, **(base | fields))


def trained(asked):
    with Run(asked) as run:
        return [float(report.loss) for report in run], weights(run)


@pytest.mark.parametrize("chunk", [1, 7, 50, 10_000])
@pytest.mark.parametrize(
    "plain", [CrossEntropy(), CrossEntropy(label_smoothing=0.1), CrossEntropy(class_weights=(0.5,) * 100 + (2.0,) * 100)]
)
def test_gradients_are_those_of_cross_entropy(plain, chunk):
    own = ChunkedCrossEntropy(plain.class_weights, plain.label_smoothing, plain.ignore_index, chunk)
    found = []
    for loss in (plain, own):
        with Run(recipe(loss, tied=chunk == 7)) as run:
            found.append(gradients(run, next_batches(run)))
    assert found[0].keys() == found[1].keys()
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("others", [(), (SAM(rho=0.1),), (ActivationCheckpointing(),)], ids=["alone", "sam", "checkpointing"])
@pytest.mark.parametrize("micro", [None, 3])
def test_trains_what_cross_entropy_trains(others, micro):
    (plain, a), (own, b) = (
        trained(recipe(loss, *others, micro_batch_size=micro)) for loss in (CrossEntropy(), ChunkedCrossEntropy(chunk=40))
    )
    assert max(abs(x - y) for x, y in zip(plain, own, strict=True)) < 1e-9
    assert all(torch.allclose(a[name], b[name], atol=1e-9) for name in a)


def test_soft_targets_of_rows():
    x, soft = torch.randn(40, 5), torch.softmax(torch.randn(40, 6), 1)
    data = Data(Tensors(x, soft), Facts("classify", (5,), 6, labels=tuple("abcdef"), rows=40))
    plain = Recipe(MLP(hidden=(8,)), lambda: data, CrossEntropy(), precision="fp64", steps=3, batch_size=10, device="cpu")
    (one, a), (many, b) = trained(plain), trained(replace(plain, loss=ChunkedCrossEntropy(chunk=4)))
    assert one == pytest.approx(many, abs=1e-10) and all(torch.allclose(a[name], b[name], atol=1e-10) for name in a)


def test_scores_are_not_kept():
    """Of 8 x 16 positions and 200 tokens in float64, cross-entropy keeps the scores' log-softmax; in chunks nothing so large is kept."""
    kept = []
    for loss in (CrossEntropy(), ChunkedCrossEntropy(chunk=16)):
        with Run(recipe(loss)) as run:
            kept.append(activations(run, next_batches(run)[0]))
    assert kept[0] - kept[1] > 0.9 * 8 * LENGTH * VOCAB * 8


def test_no_technique_takes_what_goes_into_the_output_layer_for_scores():
    with Run(recipe(ChunkedCrossEntropy(), KFAC(), precision="fp32")) as run, pytest.raises(Refused, match="Hidden"):
        next(iter(run))
    with pytest.warns(UserWarning, match="lm_head"):
        losses, _ = trained(recipe(ChunkedCrossEntropy(), KFAC(fisher="empirical"), precision="fp32"))
    assert len(losses) == 4 and losses[-1] < losses[0]


def test_a_model_whose_scores_are_no_layers_output_is_refused():
    class Capped(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(VOCAB, 8), nn.Linear(8, VOCAB)

        def forward(self, tokens):
            return 30 * torch.tanh(self.head(self.embed(tokens)) / 30)

    with pytest.raises(Refused, match="found none in Capped"):
        Run(replace(recipe(ChunkedCrossEntropy()), model=Capped))
