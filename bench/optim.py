"""Milliseconds an optimiser's step takes beside a reference: python bench/optim.py [--rounds 40].

Lion and AdamW (foreach) beside fused AdamW, the others that are danlu's own beside foreach AdamW, on the tensors of a small GPT (3.2 M
parameters in 74 tensors); Muon beside its own matrix products alone. Interleaved, ratios with 95 % intervals, the reference twice (A/A).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import torch
from measure import interleaved, ratio
from torch import nn

from danlu.find import find
from danlu.nets.gpt import Decoder
from danlu.optim.first_order import AdamW

NS = (3.4445, -4.775, 2.0315)  # the coefficients of Newton-Schulz (Jordan et al. 2024)


def model() -> nn.Module:
    torch.manual_seed(0)
    made = Decoder(vocab_size=256, context=64, width=192, depth=8, num_heads=6)
    for p in made.parameters():
        p.grad = torch.randn_like(p) * 1e-3
    return made


def stepping(description: Any) -> Callable[[], None]:
    made = model()
    optimizer = description(description.groups(made))
    return lambda: optimizer.step()


def products() -> Callable[[], None]:
    """What Muon cannot do without: fifteen matrix products for each hidden matrix, in bfloat16 as torch does them."""
    made = model()
    from danlu.optim.groups import hidden

    grads = [p.grad for p in hidden(made) if p.grad is not None]

    def multiply() -> None:
        a, b, c = NS
        for grad in grads:
            x = grad.bfloat16()
            x = x.T if x.size(0) > x.size(1) else x
            for _ in range(5):
                gram = x @ x.T
                x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)

    return multiply


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    fused, foreach = (lambda: stepping(AdamW(fused="on"))), (lambda: stepping(AdamW(fused="off")))
    named = lambda name: stepping(find("optimizer", name).load()())
    own = ("lion", "lamb", "schedule_free_adamw", "prodigy", "d_adaptation", "hypergradient", "soap", "shampoo")
    for title, base, arms in (
        ("fused AdamW", fused(), {"AdamW, fused (A/A)": fused(), "AdamW, foreach": foreach(), "lion": named("lion")}),
        ("foreach AdamW", foreach(), {"AdamW, foreach (A/A)": foreach(), **{name: named(name) for name in own}}),
        ("Muon's own products", products(), {"products (A/A)": products(), "muon, with AdamW for the rest": named("muon")}),
    ):
        times = interleaved({"base": base, **arms}, rounds)
        print(f"beside {title}:")
        for name in arms:
            print(f"  {name:32} {ratio(times[name], times['base'])}")


if __name__ == "__main__":
    main()
