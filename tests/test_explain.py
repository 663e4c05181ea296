"""The seven lines against what can be counted by hand."""

from __future__ import annotations

import pytest
import torch

from danlu.core import Recipe
from danlu.data.bundled import Digits
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import Refused, speak
from danlu.explain import amount, called, explain
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, AdamW
from danlu.optim.schedules import Cosine, Linear
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.reports.early_stop import EarlyStop
from danlu.techniques.stream.mixup import MixUp
from danlu.techniques.update.ema import EMA

torch.set_num_threads(1)
FLOAT = 4


def data() -> Data:
    rows = Tensors(torch.randn(50, 6), torch.randint(0, 3, (50,)))
    return Data(rows, Facts("classify", (6,), 3, rows=50), val=Tensors(rows.inputs[:10], rows.targets[:10]))


def recipe(**changes: object) -> Recipe:
    fields = {"model": MLP(hidden=(8,)), "data": data(), "optimizer": AdamW(lr=0.01), "steps": 20, "batch_size": 16}
    return Recipe(**(fields | changes))


def test_model_and_memory_by_hand() -> None:
    facts = explain(recipe()).facts
    weights = 6 * 8 + 8 + 8 * 3 + 3
    assert facts["model"]["parameters"] == facts["model"]["trainable"] == weights
    assert facts["model"]["flops_per_batch"] == 3 * 2 * 16 * (6 * 8 + 8 * 3)
    memory = facts["placement"]["memory"]
    assert memory["weights"] == memory["gradients"] == weights * FLOAT
    steps = 4  # AdamW keeps a step count for each tensor
    assert memory["optimizer"] == 2 * weights * FLOAT + steps * FLOAT
    assert memory["batch"] == 16 * 6 * FLOAT + 16 * 8
    assert memory["total"] == sum(value for name, value in memory.items() if name != "total")


def test_activations_are_what_backward_keeps() -> None:
    """linear keeps its input (the batch itself, and the hidden layer), ReLU its output, which is that hidden layer."""
    from danlu.core import Batch
    from danlu.cost import Activations

    model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    batch = Batch(torch.randn(16, 6), torch.zeros(16), torch.arange(16))
    with Activations(model, batch) as kept:
        loss = model(batch.inputs).sum()
    assert kept.bytes == 16 * 8 * FLOAT
    loss.backward()


def test_activations_grow_with_the_micro_batch_and_state_with_techniques() -> None:
    whole, split = explain(recipe()).facts, explain(recipe(micro_batch_size=4, techniques=(EMA(),))).facts
    assert split["gradient"]["micro_batches"] == 4
    assert split["model"]["flops_per_batch"] == whole["model"]["flops_per_batch"]
    assert whole["placement"]["memory"]["activations"] > 3 * split["placement"]["memory"]["activations"]
    assert whole["placement"]["memory"]["techniques"] == 0
    assert split["placement"]["memory"]["techniques"] == whole["placement"]["memory"]["weights"]


def test_frozen_parameters_are_told_apart() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Linear(8, 3))
    model[0].requires_grad_(False)
    found = explain(recipe(model=model))
    assert found.facts["model"]["trainable"] == 8 * 3 + 3
    assert found.facts["placement"]["memory"]["gradients"] == (8 * 3 + 3) * FLOAT


def test_learning_rates() -> None:
    assert explain(recipe()).facts["update"]["lr"] == {"first": 0.01, "lowest": 0.01, "highest": 0.01, "last": 0.01}
    schedule = Cosine(warmup=5)
    rates = [0.01 * schedule(20)(step) for step in range(20)]
    lr = explain(recipe(schedule=schedule)).facts["update"]["lr"]
    assert lr == pytest.approx({"first": rates[0], "lowest": min(rates), "highest": max(rates), "last": rates[-1]})


def test_techniques_stand_at_their_seams_outermost_first() -> None:
    found = explain(recipe(techniques=(EarlyStop(patience=2), MixUp(alpha=0.4), SAM(), EMA()))).facts
    assert found["stream"]["techniques"] == ["mixup(alpha=0.4)"]
    assert found["gradient"]["techniques"] == ["sam"]
    assert found["update"]["techniques"] == ["ema", "nonfinite"]
    assert found["reports"]["techniques"] == ["early_stop(patience=2)", "nonfinite", "validate"]


def test_nothing_of_the_recipe_is_moved() -> None:
    model = torch.nn.Linear(6, 3)
    before = model.weight.detach().clone()
    explain(recipe(model=lambda: torch.nn.Linear(6, 3)))
    assert torch.equal(model.weight, before)


def test_groups() -> None:
    groups = explain(recipe(optimizer=SGD(weight_decay=0.1))).facts["update"]["groups"]
    assert [(g["name"], g["parameters"], g["weight_decay"]) for g in groups] == [("decay", 72, 0.1), ("no_decay", 11, 0.0)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_seven_lines(language: str) -> None:
    speak(language)
    found = explain(recipe(schedule=Linear(), techniques=(SAM(),), micro_batch_size=8))
    assert len(found.lines) == len(str(found).splitlines()) == 7
    assert "0.01" in found.lines[4][1]
    assert ("sam > forward" in str(found)) is (language == "en")
    speak(None)


def test_refusals_come_through() -> None:
    with pytest.raises(Refused):
        explain(recipe(loss=torch.nn.functional.cross_entropy, model=torch.nn.Sequential(torch.nn.Flatten())))


def test_calls_are_as_one_would_write_them() -> None:
    assert called(AdamW(), "optimizer") == "adamw"
    assert called(AdamW(lr=0.5), "optimizer") == "adamw(lr=0.5)"
    assert called(MLP(hidden=(3, 4)), "model") == "mlp(hidden=[3, 4])"
    assert called(Digits(), "data") == "digits"
    assert called(torch.nn.Linear(2, 2), "model") == "Linear"


@pytest.mark.parametrize(("value", "said"), [(0, "0 "), (999, "999 "), (1000, "1 k"), (9.93e6, "9.93 M"), (2e13, "20 T")])
def test_amounts(value: float, said: str) -> None:
    assert amount(value) == said
