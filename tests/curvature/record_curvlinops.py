"""Writes curvlinops.json: Kronecker factors, and products with the exact Fisher, of curvlinops (Dangel et al. 2025) on the nets below.

    python -m venv /tmp/oracle && /tmp/oracle/bin/pip install torch einops einconv linear_operator opt_einsum unfoldNd scipy tqdm
    /tmp/oracle/bin/pip install --no-deps curvlinops-for-pytorch backpack-for-pytorch
    /tmp/oracle/bin/python tests/curvature/record_curvlinops.py

It is recorded and no extra of the tests, since it asks for torchvision, whose wheel does not go with a torch for the CPU. Every number of
a net and its rows is a cosine of its place, so the tests make the same ones. The versions are in the file.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn

ROWS = 7


def cosines(*shape: int, start: int = 0) -> torch.Tensor:
    """Numbers between -1 and 1 that look irregular, the same everywhere."""
    count = torch.Size(shape).numel()
    return torch.cos(torch.arange(start, start + count, dtype=torch.float64) ** 2 * 0.7 + 1).view(shape)


def filled(model: nn.Module) -> nn.Module:
    """Double precision, each weight a cosine of its place."""
    with torch.no_grad():
        for number, p in enumerate(model.double().parameters()):
            p.copy_(0.6 * cosines(*p.shape, start=100 * number))
    return model


def dense() -> nn.Module:
    return filled(nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)))


def convolutional() -> nn.Module:
    net = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1, stride=2), nn.Tanh(), nn.Conv2d(3, 2, 2, dilation=2, padding=(1, 0)), nn.Flatten(), nn.Linear(6, 3)
    )
    return filled(net)


def sequential() -> nn.Module:
    """A sequence of positions, each with a label: "expand" of Eschenhagen et al. 2023."""
    return filled(nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3)))


def cases():
    """Name, net, inputs, targets, loss of curvlinops, danlu's name for it."""
    label = (torch.arange(ROWS) * 5 + 1) % 3
    yield "dense, softmax", dense, cosines(ROWS, 5, start=7), label, nn.CrossEntropyLoss(), "cross_entropy"
    yield "dense, squared", dense, cosines(ROWS, 5, start=7), cosines(ROWS, 3, start=90), nn.MSELoss(), "mse"
    yield "convolutions, softmax", convolutional, cosines(ROWS, 2, 6, 5, start=3), label, nn.CrossEntropyLoss(), "cross_entropy"
    yield "convolutions, squared", convolutional, cosines(ROWS, 2, 6, 5, start=3), cosines(ROWS, 3, start=90), nn.MSELoss(), "mse"
    yield (
        "positions, softmax",
        sequential,
        cosines(ROWS, 2, 4, start=5),
        torch.arange(2 * ROWS).view(ROWS, 2) % 3,
        nn.CrossEntropyLoss(),
        ("cross_entropy"),
    )


def main() -> None:
    from curvlinops import GGNLinearOperator, KFACLinearOperator

    found = {}
    for name, net, x, y, loss, _ in cases():
        model = net()
        parameters = [p for p in model.parameters() if p.requires_grad]
        case = {}
        for fisher, kind in (("exact", "type-2"), ("empirical", "empirical")):
            operator = KFACLinearOperator(
                Turned(model), loss, parameters, [(x, y)], fisher_type=kind, separate_weight_and_bias=False, check_deterministic=False
            )
            operator.compute_kronecker_factors()
            case[fisher] = {
                layer.removeprefix("model."): {"A": a.tolist(), "G": operator._gradient_covariances[layer].tolist()}
                for layer, a in operator._input_covariances.items()
            }
        v = cosines(sum(p.numel() for p in parameters), start=11)
        case["product"] = (GGNLinearOperator(Turned(model), loss, parameters, [(x, y)], check_deterministic=False) @ v).tolist()
        found[name] = case
    versions = {package: version(package) for package in ("curvlinops-for-pytorch", "backpack-for-pytorch", "torch")}
    Path(__file__).with_name("curvlinops.json").write_text(json.dumps({"versions": versions, "cases": found}, indent=1) + "\n")


class Turned(nn.Module):
    """The net as curvlinops wants it: classes in the second dimension."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output = self.model(x)
        return output.transpose(1, 2) if output.dim() == 3 else output


if __name__ == "__main__":
    main()
