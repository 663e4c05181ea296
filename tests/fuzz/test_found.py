"""What random recipes have found. Each was accepted, and trained nonsense or failed with an error that is no sentence, or too late."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from danlu import messages
from danlu.core import Recipe, Run
from danlu.describe.forms import from_data
from danlu.errors import BadInput, Trouble
from danlu.losses.classification import BinaryCrossEntropy, CrossEntropy, Focal
from danlu.losses.regression import MSE
from danlu.metrics.classification import AUROC, F1, Accuracy, TopK
from danlu.metrics.language import Perplexity
from danlu.metrics.regression import RMSE
from danlu.nets.cnn import CNN
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.optim.muon import Muon
from danlu.optim.schedules import Cosine
from danlu.techniques.gradient.agc import AGC
from danlu.techniques.gradient.natural_gradient import NaturalGradient
from danlu.techniques.model.ghost_norm import GhostNorm
from danlu.techniques.model.init import Init
from danlu.techniques.model.lsuv import LSUV
from danlu.techniques.reports.validate import Validate
from danlu.techniques.update.ema import EMA
from fuzz import claims
from fuzz.drawing import Tiny

HERE = Path(__file__).parent


def recipe(kind: str, **fields) -> Recipe:
    return Recipe(**({"model": MLP(hidden=(8,)), "data": Tiny(kind, 24), "steps": 6, "batch_size": 8, "device": "cpu"} | fields))


@pytest.mark.parametrize(
    "kind, fields, sentence",
    [
        # perplexity and f1 of numbers: IndexError and RuntimeError at the first validation; the others measured nonsense
        ("numbers", {"metrics": (Perplexity(),)}, messages.LABEL_SHAPES),
        ("numbers", {"metrics": (F1(),)}, messages.NO_LABELS),
        ("numbers", {"metrics": (Accuracy(),)}, messages.NO_LABELS),
        ("numbers", {"metrics": (AUROC(),)}, messages.NO_LABELS),
        # refused only after an epoch of training
        ("wine", {"metrics": (RMSE(),)}, messages.SHAPES_DIFFER),
        ("wine", {"metrics": (TopK(k=3),)}, messages.TOP_K),
        ("wine", {"metrics": (Accuracy(), Accuracy())}, messages.METRIC_TWICE),
        ("wine", {"validate": Validate(weights="ema")}, messages.NO_AVERAGE),
        # softmax over one number: a loss of zero, and nothing learned; and one without a lower bound
        ("numbers", {"loss": CrossEntropy()}, messages.TWO_CLASSES),
        ("numbers", {"loss": Focal()}, messages.TWO_CLASSES),
        ("numbers", {"loss": BinaryCrossEntropy()}, messages.TARGET_NOT_PROBABILITY),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_refused_before_the_first_step(kind, fields, sentence):
    trouble = claims.trains(recipe(kind, **fields), 0)
    assert isinstance(trouble, BadInput) and trouble.sentence is sentence


def test_what_is_like_these_and_right_is_taken():
    taken = [
        recipe("wine", metrics=(Accuracy(), F1(), AUROC(), TopK(k=2), Perplexity())),
        recipe("wine", validate=Validate(weights="ema"), techniques=(EMA(),)),
        recipe("two_classes", loss=BinaryCrossEntropy(), metrics=(AUROC(),)),
        recipe("labels", loss=BinaryCrossEntropy()),
        recipe("numbers", loss=MSE(), metrics=(RMSE(),)),
    ]
    for each in taken:
        assert not isinstance(claims.trains(each, 3), Trouble)


def test_metrics_of_classes_take_one_score_a_row_for_targets_between_0_and_1():
    data = Tiny("two_classes", 24)()
    rows = data.train.inputs[:, :12], data.train.targets.float()
    run = Run(
        recipe("numbers", data=rows, model=lambda: torch.nn.Linear(12, 1), loss=BinaryCrossEntropy(), metrics=(Accuracy(), F1(), AUROC()))
    )
    assert list(run)


def test_metrics_are_tried_out_whatever_is_validated():
    for fields in ({"validate": False}, {"precision": "bf16"}, {"precision": "fp64"}):
        with pytest.raises(BadInput, match="numbers from"):
            Run(recipe("numbers", metrics=(Accuracy(),), **fields))


@pytest.mark.parametrize("fields", ["growth: .inf", "cycles: 100000000"])  # ZeroDivisionError; a loop without an end
def test_a_cosine_within_bounds(fields):
    from danlu.describe.yaml12 import read

    text = f"{{model: mlp, data: wine, steps: 5, schedule: {{cosine: {{{fields}}}}}}}"
    with pytest.raises(BadInput, match=fields.split(":")[0]):
        from_data(*read(text, "x"))
    factor = Cosine(cycles=10_000, growth=1e300)(20)
    assert [factor(step) for step in range(20)] == sorted((factor(step) for step in range(20)), reverse=True)


def test_class_weights_below_zero_are_no_weights():

    with pytest.raises(BadInput, match="class_weights"):
        from_data({"model": "mlp", "data": "wine", "steps": 5, "loss": {"cross_entropy": {"class_weights": [1.0, -1.0, 1.0]}}})


def test_a_ghost_size_that_does_not_divide_the_batch_is_no_reason_to_refuse():
    normed = recipe("wine", model=MLP(hidden=(8,), norm="batch", dropout=0.2), optimizer=SGD(), techniques=(GhostNorm(size=3),))
    assert claims.same_split(normed, 3) is True
    assert claims.same_split(replace(normed, techniques=(EMA(),)), 4) is True  # with the size that it is asked for


@pytest.mark.parametrize("technique", [LSUV(), Init(scheme="orthogonal")])
def test_orthogonal_weights_of_a_convolution_that_is_wider_than_high(technique):
    assert claims.trains(recipe("images", model=CNN(widths=(2, 1)), techniques=(technique,)), 1)


def test_conjugate_gradients_multiply_rounding():
    """Fifty of them on a matrix of low rank: 4e-7 between micro-batches, and as much where the gradient is shaken by 1e-16."""
    natural = NaturalGradient(damping=0.001, exact_up_to=0, iterations=50, tolerance=1e-4, trust=0.001)
    assert (
        claims.same_split(recipe("digits", model=MLP(hidden=()), techniques=(AGC(limit=0.01), natural), steps=1, batch_size=4), 1)
        is not None
    )


def test_as_many_newton_schulz_iterations_as_torch_takes():
    assert claims.trains(recipe("digits", optimizer=Muon(iterations=99), steps=1), 0, finite=False)
    with pytest.raises(BadInput, match="iterations"):
        from_data({"model": "mlp", "data": "wine", "steps": 5, "optimizer": {"muon": {"iterations": 100}}})
