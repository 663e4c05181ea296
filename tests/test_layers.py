"""The table of layers, against a forward pass by hand; and the command."""

from __future__ import annotations

import json

import pytest
import torch
import toys
from torch import nn

from danlu.cli.main import main
from danlu.core import Run
from danlu.explain import first_batch
from danlu.layers import layers


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.9), nn.ReLU(), nn.Linear(8, 3))


def test_each_layer_as_a_pass_by_hand_says_and_nothing_moves():
    with Run(toys.recipe(model=net)) as run:
        batch = first_batch(run)
        before = toys.state(run)
        found = layers(run, batch)
        x = batch.inputs
        assert [layer.name for layer in found] == ["0", "1", "4"]
        for layer, place in zip(found, (0, 1, 4)):
            with torch.no_grad():
                y = toys.twin(run).eval()[: place + 1](x)
            assert layer.mean == pytest.approx(float(y.mean())) and layer.std == pytest.approx(float(y.std()))
            assert layer.weight == tuple(run.model[place].weight.shape)
        assert run.model.training and all(torch.equal(value, before[name]) for name, value in toys.state(run).items())


def test_what_never_works_comes_last_and_says_so():
    class Spare(nn.Module):
        def __init__(self):
            super().__init__()
            self.spare, self.used = nn.Linear(6, 2), nn.Linear(6, 3)

        def forward(self, x):
            return self.used(x)

    with Run(toys.recipe(model=Spare)) as run:
        used, spare = layers(run, first_batch(run))
    assert (used.name, spare.name) == ("used", "spare") and spare.std is None and spare.deviation > 0


def test_the_command(capsys):
    assert main(["explain", "wine", "--layers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["kind"] == "Linear"
    assert main(["explain", "wine", "--layers", "--lang", "zh"]) == 0
    assert "输出标准差" in capsys.readouterr().out
    assert main(["explain", "wine", "--layers", "--yaml"]) == 2
