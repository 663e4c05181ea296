"""The coordinate check (Yang et al. 2021, appendix D.1), the rates and deviations of their table 3, and what has no width."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from toys import apart, made, trained
from toys import recipe as toy

from danlu.core import Recipe, Run
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import BadInput, Refused
from danlu.explain import first_batch
from danlu.layers import layers
from danlu.nets.gpt import GPT
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, AdamW
from danlu.optim.groups import rate_shares
from danlu.optim.muon import Muon
from danlu.techniques.model.mup import MuP

WIDTHS = (32, 64, 128, 256, 512)


def mlp(width: int, optimizer, *techniques) -> Recipe:
    return toy(*techniques, model=MLP(hidden=(width, width)), optimizer=optimizer, loss="auto", steps=4, batch_size=16, validate=False)


def gpt(width: int, optimizer, *techniques) -> Recipe:
    def data() -> Data:
        ids = torch.randint(0, 9, (32, 9), generator=torch.Generator().manual_seed(0))
        return Data(Tensors(ids[:, :-1].contiguous(), ids[:, 1:].contiguous()), Facts("language", (8,), 9, vocab=9, rows=32))

    model = GPT(width=width, depth=1, heads=width // 16, hidden=2 * width)
    return toy(
        *techniques, model=model, data=data, optimizer=optimizer, loss="auto", precision="fp32", steps=4, batch_size=16, validate=False
    )


def changes(recipe: Recipe) -> dict[str, float]:
    """How far each layer's outputs on one batch move in three steps: the root of the mean square."""
    found: list[dict[str, torch.Tensor]] = []

    def look(run: Run) -> None:
        said: dict[str, torch.Tensor] = {}
        kinds = (nn.Linear, nn.Embedding)
        hooks = [
            module.register_forward_hook(lambda m, args, output, name=name: said.update({name: output.detach().clone()}))
            for name, module in run.model.named_modules()
            if isinstance(module, kinds)
        ]
        with torch.no_grad():
            run.model(x)
        for hook in hooks:
            hook.remove()
        found.append(said)

    with Run(recipe) as run:
        x = run.placement.put(run.data.train.fetch(torch.arange(16), 0)[0])
        look(run)
        for _ in zip(range(3), run):
            pass
        look(run)
    return {name: float((found[1][name] - value).square().mean().sqrt()) for name, value in found[0].items()}


def slopes(recipe, optimizer, widths=WIDTHS, *, mup: bool, seeds: int = 3) -> dict[str, float]:
    """The power of the width with which each layer's outputs move, by least squares over the logarithms."""
    by_width = []
    for width in widths:
        base = recipe(width, optimizer, *([MuP(base_width=widths[0])] if mup else []))
        seen = [changes(replace(base, seed=seed)) for seed in range(seeds)]
        by_width.append({name: sum(math.log(one[name]) for one in seen) / seeds for name in seen[0]})
    x = torch.tensor([math.log(width) for width in widths], dtype=torch.float64)
    x -= x.mean()
    return {
        name: float((x * torch.tensor([one[name] for one in by_width], dtype=torch.float64)).sum() / x.square().sum())
        for name in by_width[0]
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "optimizer"),
    [(mlp, AdamW(lr=2e-3)), (mlp, SGD(lr=0.1)), (gpt, AdamW(lr=2e-3))],
    ids=["mlp, adamw", "mlp, sgd", "gpt, adamw"],
)
def test_what_every_layer_computes_moves_by_the_same_whatever_the_width(recipe, optimizer):
    widths = WIDTHS if recipe is mlp else WIDTHS[:4]
    own, usual = (slopes(recipe, optimizer, widths, mup=mup) for mup in (True, False))
    assert all(abs(power) < 0.25 for power in own.values()), own
    assert max(usual.values()) > 0.4, usual  # the output layer of the usual parametrisation blows up


def test_rates_and_deviations_are_those_of_table_3():
    wide, base = 256, 64
    for optimizer, first, hidden, last in ((AdamW(), 1, 1 / 4, 1 / 4), (SGD(), 4, 1, 1 / 4)):
        with Run(mlp(wide, optimizer, MuP(base_width=base))) as run, Run(mlp(wide, optimizer)) as plain:
            shares = {name: rate_shares(run.model)[p] for name, p in run.model.named_parameters()}
            names = [name for name in shares if name.endswith("weight")]
            assert [shares[name] for name in names] == [first, hidden, last]
            bias = 4 if first == 4 else 1
            assert [shares[name] for name in shares if name.endswith("bias")] == [bias, bias, 1]
            rates = {p: group["lr"] for group in run.optimizer.param_groups for p in group["params"]}
            decays = {p: group["weight_decay"] * group["lr"] for group in run.optimizer.param_groups for p in group["params"]}
            for (name, p), (_, q) in zip(run.model.named_parameters(), plain.model.named_parameters()):
                assert rates[p] == pytest.approx(optimizer.lr * shares[name])
                if name.endswith("weight"):
                    assert decays[p] == pytest.approx(optimizer.lr * optimizer.weight_decay)
                factor = 0.5 if name == names[-1] else 1.0  # of the usual 1 / root of the fan-in
                assert torch.equal(p, q * factor)
            rate = {layer.name: layer.rate for layer in layers(run, first_batch(run))}
            assert list(rate.values()) == pytest.approx([optimizer.lr * shares[name] for name in names])


def test_a_gpt_starts_as_its_base_does_in_every_matrix():
    with Run(gpt(128, AdamW(), MuP(base_width=32))) as run, Run(gpt(128, AdamW())) as plain:
        for (name, p), (_, q) in zip(run.model.named_parameters(), plain.model.named_parameters()):
            factor = 0.25 if "lm_head" in name else 0.5 if "proj" in name else 1.0
            assert torch.equal(p, q * factor), name
        shares = {name: rate_shares(run.model)[p] for name, p in run.model.named_parameters()}
        assert {name for name, share in shares.items() if share == 1} == {name for name in shares if "norm" in name or "embed" in name}
        assert set(shares.values()) == {1, 0.25}


@pytest.mark.parametrize("optimizer", [AdamW(), SGD()])
def test_at_the_base_width_nothing_changes(optimizer):
    fields = {"model": MLP(hidden=(16, 16)), "optimizer": optimizer, "loss": "auto"}
    assert apart(trained(MuP(base_width=16), **fields), trained(**fields)) == 0


def test_what_has_no_width_is_refused():
    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Parameter(torch.ones(6, 8))
            self.out = nn.Linear(8, 3)

        def forward(self, x):
            return self.out(x @ self.table)

    for fields, kind, sentence in [
        ({"optimizer": Muon(), "model": MLP()}, Refused, "the optimizer is Muon"),
        ({"optimizer": lambda params: torch.optim.SGD(params, 0.1)}, Refused, "rates change with the width"),
        ({"optimizer": SGD(), "model": lambda: nn.Linear(6, 3)}, BadInput, "no hidden layer"),
        ({"optimizer": SGD(), "model": Table}, BadInput, "`table`"),
    ]:
        with pytest.raises(kind, match=sentence):
            Run(toy(MuP(), data=made, **fields))
    recipe = gpt(32, AdamW(), MuP())
    with pytest.raises(Refused, match="tied=false"):
        Run(replace(recipe, model=replace(recipe.model, tied=True)))
