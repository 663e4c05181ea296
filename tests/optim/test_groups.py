"""Parameter groups: by the module that owns a parameter and by its shape, never by a layer's name."""

import torch
from torch import nn

from danlu.optim.groups import describe_groups, groups


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
