"""Parameter groups: by the module that owns a parameter and by its shape, never by a layer's name."""

import pytest
import torch
import toys
from torch import nn

from danlu.core import Run
from danlu.explain import explain
from danlu.nets.gpt import Decoder
from danlu.nets.resnet import BasicBlock, ResidualNet
from danlu.optim.first_order import SGD, AdamW
from danlu.optim.groups import describe_groups, groups, layers
from danlu.techniques.model.freeze import Freeze


class Tied(nn.Module):
    """A head that is registered before the embedding whose weight it shares."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 10, bias=False)
        self.look = nn.Embedding(10, 4)
        self.look.weight = self.head.weight
        self.body = nn.Linear(4, 4)
        self.image_norm = nn.LayerNorm((2, 3, 3))  # a norm with a three-dimensional weight
        self.frozen = nn.Linear(4, 4).requires_grad_(False)


def names(made):
    return {group["name"]: [name for name, _ in group["params"]] for group in made}


def test_rule():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
    assert names(groups(model, 0.1)) == {"decay": ["0.weight", "3.weight"], "no_decay": ["0.bias", "1.weight", "1.bias", "3.bias"]}
    assert [group["weight_decay"] for group in groups(model, 0.1)] == [0.1, 0.0]


def test_embedding_tied_frozen_and_shaped_norm():
    assert names(groups(Tied(), 0.1)) == {
        "decay": ["body.weight"],
        "no_decay": ["head.weight", "body.bias", "image_norm.weight", "image_norm.bias"],
    }


def test_decay_norms_spares_embeddings():
    assert names(groups(Tied(), 0.1, decay_norms=True)) == {
        "decay": ["body.weight", "body.bias", "image_norm.weight", "image_norm.bias"],
        "no_decay": ["head.weight"],
    }


def test_every_trainable_parameter_is_in_exactly_once():
    model = Tied()
    inside = [p for group in groups(model, 0.1) for _, p in group["params"]]
    wanted = {p for p in model.parameters() if p.requires_grad}
    assert len(inside) == len(wanted) and set(inside) == wanted


def test_empty_groups_are_left_out():
    assert [group["name"] for group in groups(nn.Linear(2, 2, bias=False), 0.1)] == ["decay"]
    assert [group["name"] for group in groups(nn.Linear(2, 2), 0.0)] == ["no_decay"]  # no decay at all: one group, one kernel
    assert groups(nn.ReLU(), 0.1) == []


def test_torch_keeps_the_names():
    optimizer = torch.optim.AdamW(groups(nn.Linear(3, 2), 0.1))
    assert [(g["name"], g["param_names"], g["weight_decay"]) for g in optimizer.param_groups] == [
        ("decay", ["weight"], 0.1),
        ("no_decay", ["bias"], 0.0),
    ]


def test_describe():
    made = groups(nn.Linear(3, 2), 0.1)
    assert describe_groups(made) == [("decay", 1, 6, {"weight_decay": 0.1}), ("no_decay", 1, 2, {"weight_decay": 0.0})]
    rows = describe_groups(torch.optim.SGD(groups(nn.Linear(3, 2), 0.1), lr=0.5).param_groups)
    assert [(row.name, row.parameters, row.options["lr"]) for row in rows] == [("decay", 6, 0.5), ("no_decay", 2, 0.5)]
    assert describe_groups(torch.optim.SGD([torch.ones(3, requires_grad=True)]).param_groups)[0][:3] == ("0", 1, 3)


def test_layers_of_a_transformer_a_resnet_and_a_sequence():
    roots = lambda model, depth: [sorted({".".join(name.split(".")[:depth]) for name in layer}) for layer in layers(model)]
    gpt = Decoder(vocab_size=11, context=5, width=16, depth=3, num_heads=2)
    assert roots(gpt, 1) == [["embed_tokens"], *[["layers"]] * 3, ["lm_head", "norm"]]
    assert roots(gpt, 2)[1:4] == [["layers.0"], ["layers.1"], ["layers.2"]]
    resnet = ResidualNet(BasicBlock, (2, 1), 3, 4, width=4)
    assert roots(resnet, 2) == [
        ["bn1.bias", "bn1.weight", "conv1.weight"], ["layer1.0"], ["layer1.1"], ["layer2.0"], ["fc.bias", "fc.weight"]
    ]  # fmt: skip
    sequence = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.ReLU(), nn.Linear(2, 2), nn.LayerNorm(2), nn.Linear(2, 2))
    assert [{name.split(".")[0] for name in layer} for layer in layers(sequence)] == [{"0", "1"}, {"3", "4"}, {"5"}]


def test_every_parameter_is_in_one_layer():
    for model in (Tied(), nn.Sequential(nn.Linear(2, 2)), nn.Linear(2, 2)):
        assert sorted(name for layer in layers(model) for name in layer) == sorted(dict(model.named_parameters()))


def test_rates_by_layer_reach_the_run_and_explain():
    """The rate of the reports is the recipe's own: the top layer comes first."""
    optimizer = SGD(lr=0.4, layer_decay=0.5, weight_decay=0.1)
    run = Run(toys.recipe(optimizer=optimizer, steps=1))
    rates = {name: group["lr"] for group in run.optimizer.param_groups for name in group["param_names"]}
    assert rates == {"2.weight": 0.4, "2.bias": 0.4, "0.weight": 0.2, "0.bias": 0.2}
    assert [report.lr for report in run] == [0.4]
    said = dict(explain(toys.recipe(optimizer=optimizer)).lines)
    line = next(text for text in said.values() if "layer1/decay" in text)
    assert "layer0/no_decay: 8 in 1 tensors, weight decay 0, lr 0.2" in line and "lr 0.4" in line


def test_a_layer_learns_at_its_share():
    """One step of plain SGD: the lower layer moves by half of what it would."""
    start = toys.state(Run(toys.recipe()))
    whole, shared = (toys.state(toys.trained(optimizer=SGD(lr=0.1, momentum=0.0, layer_decay=decay), steps=1)) for decay in (1.0, 0.5))
    for name in start:
        share = 0.5 if name.startswith("0") else 1.0
        torch.testing.assert_close(shared[name] - start[name], share * (whole[name] - start[name]), rtol=1e-12, atol=1e-15)


def test_frozen_parts_are_in_no_group_and_said():
    recipe = toys.recipe(Freeze(("0.*",)), optimizer=AdamW())
    assert [group["param_names"] for group in Run(recipe).optimizer.param_groups] == [["2.weight"], ["2.bias"]]
    assert "83 parameters, 27 of them trained" in str(explain(recipe))


@pytest.mark.parametrize("decay", [0.0, 1.5, float("nan")])
def test_a_layer_decay_out_of_range(decay):
    with pytest.raises(Exception, match=r"optimizer\.layer_decay"):
        Run(toys.recipe(optimizer=SGD(layer_decay=decay)))
