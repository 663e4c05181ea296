"""Milliseconds an optimiser's step takes beside a reference: python bench/optim.py [--rounds 40] [--add my_opt.py:Foo] [--compile].

On the tensors of a small GPT (10.8 M parameters in 57 tensors), beside fused AdamW and beside foreach AdamW; Muon also beside its own
matrix products alone, in bfloat16 and float32. SOAP and Shampoo are measured over ten steps, so that one turn of the basis is among them;
what SOAP cannot do without, six products a matrix in every step and no turn, is beside them: where that alone is above the bound, both
sides cannot hold it, and nothing but fewer products (`sides=shorter`) or rougher ones can. CPU time on one thread, interleaved, ratios
with 95 % intervals, the reference twice (A/A). `--compile` also has Lion's step compiled, which needs a C++ compiler and a minute or
more. `--add` puts a person's own optimiser into every table.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from measure import Ratio, interleaved, ratio, verdict
from own import described
from torch import nn

from danlu.find import find
from danlu.nets.gpt import Decoder
from danlu.optim.first_order import AdamW
from danlu.optim.groups import hidden
from danlu.optim.soap import SOAP, gather, multiplies_bfloat16, turned

NS = (3.4445, -4.775, 2.0315)  # the coefficients of Newton-Schulz (Jordan et al. 2024)
BEST = torch.bfloat16 if multiplies_bfloat16(torch.device("cpu")) else torch.float32
OWN = ("lion", "lamb", "schedule_free_adamw", "prodigy", "d_adaptation", "hypergradient")
Arms = dict[str, Callable[[], None]]


def model() -> nn.Module:
    torch.manual_seed(0)
    made = Decoder(vocab_size=256, context=64, width=384, depth=6, num_heads=6)
    for p in made.parameters():
        p.grad = torch.randn_like(p) * 1e-3
    return made


def stepping(description: Any, steps: int = 1) -> Callable[[], None]:
    made = model()
    optimizer = description(description.groups(made))

    def step() -> None:
        for _ in range(steps):
            optimizer.step()

    return step


def compiled(description: Any) -> Callable[[], None]:
    """Its step as torch.compile makes it; says how long that took."""
    made = model()
    optimizer = description(description.groups(made))
    optimizer.step()  # the state is there when it is traced
    step, start = torch.compile(optimizer.step), time.perf_counter()
    for _ in range(2):
        step()
    print(f"compiling {type(description).__name__}: {time.perf_counter() - start:.0f} s")
    return step


def products(dtype: torch.dtype) -> Callable[[], None]:
    """What Muon cannot do without: fifteen matrix products for each hidden matrix."""
    made = model()
    grads = [p.grad for p in hidden(made) if p.grad is not None]

    def multiply() -> None:
        a, b, c = NS
        for grad in grads:
            x = grad.to(dtype)
            x = x.T if x.size(0) > x.size(1) else x
            for _ in range(5):
                gram = x @ x.T
                x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)

    return multiply


def six(steps: int = 1) -> Callable[[], None]:
    """What SOAP cannot do without: each matrix's gradient to its basis and its update back, two products each, and two covariances."""
    grads = [p.grad for p in model().parameters() if p.grad is not None and p.ndim == 2]
    states = [{f"{side}{kind}": torch.eye(n) for side, n in zip(("left", "right"), x.shape) for kind in ("", "_basis")} for x in grads]

    def multiply() -> None:
        for _ in range(steps):
            for grad, state in zip(grads, states):
                turned(turned(grad, state), state, back=True, low=torch.bfloat16 == BEST)
                gather(state["left"], grad, 0.95, 0.05)
                gather(state["right"], grad.T, 0.95, 0.05)

    return multiply


def named(name: str, steps: int = 1) -> Callable[[], None]:
    return stepping(find("optimizer", name).load()(), steps)


def table(title: str, base: Callable[[], Callable[[], None]], arms: Arms, bounds: dict[str, float], rounds: int, per: int = 1) -> None:
    """Each arm beside the base, made twice; all of them take `per` steps at a time."""
    times = interleaved({"base": base(), "again": base(), **arms}, rounds, warm=3 if per == 1 else 1, clock=time.process_time)
    same = ratio(times["again"], times["base"])
    print(f"beside {title} ({1e3 * sorted(times['base'])[rounds // 2] / per:.2f} ms):\n  {'the same (A/A)':34} {same}")
    for name in arms:
        found = ratio(times[name], times["base"])
        print(f"  {name:34} {judged(found, same, bounds.get(name))}", flush=True)


def judged(found: Ratio, same: Ratio, bound: float | None) -> str:
    return str(found) if bound is None else verdict(found, same, bound)


def first_order(rounds: int, added: dict[str, Any], compiling: bool) -> None:
    fused, foreach = (lambda: stepping(AdamW(fused="on"))), (lambda: stepping(AdamW(fused="off")))
    others = lambda: {name: stepping(description) for name, description in added.items()}
    arms: Arms = {"AdamW, foreach": foreach(), "lion": named("lion"), **others()}
    if compiling and shutil.which("g++"):
        arms["lion, compiled"] = compiled(find("optimizer", "lion").load()())
    elif compiling:
        print("lion, compiled: not measured, there is no g++")
    table("fused AdamW", fused, arms, {"lion, compiled": 1.0}, rounds)
    slow = {"soap": named("soap", 10), "soap, the shorter side": stepping(SOAP(sides="shorter"), 10), "shampoo": named("shampoo", 10)}
    slow["SOAP's own products alone"] = six(10)
    slow |= {name: stepping(description, 10) for name, description in added.items()}
    table(
        "fused AdamW, ten steps",
        lambda: stepping(AdamW(fused="on"), 10),
        slow,
        {"soap": 40.0, "soap, the shorter side": 40.0},
        max(3, rounds // 10),
        per=10,
    )
    table("foreach AdamW", foreach, {name: named(name) for name in OWN} | others(), {"lion": 1.0}, rounds)
    for dtype in (torch.bfloat16, torch.float32):
        title = f"Muon's own products in {str(dtype).removeprefix('torch.')}"
        arms = {"muon, with AdamW for the rest": named("muon"), **others()}
        bounds = {"muon, with AdamW for the rest": 1.5} if dtype == BEST else {}
        table(title, partial(products, dtype), arms, bounds, max(4, rounds // 4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--add", action="append", default=[], metavar="FILE.py:NAME", help="a person's own optimiser")
    parser.add_argument("--compile", action="store_true", help="Lion compiled, too")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    first_order(asked.rounds, described(asked.add), asked.compile)


if __name__ == "__main__":
    main()
