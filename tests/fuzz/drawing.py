"""Hypothesis strategies for whole recipes that could well be written: every part is one that `danlu.find` lists and that fits the data;
every setting is drawn from the range that its field declares, near the field's default, ends included."""

from __future__ import annotations

import functools
import math
import typing
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args

import drawn
from hypothesis import strategies as st

from danlu import find
from danlu.core import Recipe, Run
from danlu.describe import user_file
from danlu.describe.annotations import REQUIRED, arms, bare, field_types, is_description, is_list, kind_of, ranges, written
from danlu.errors import Trouble
from danlu.techniques.model.ghost_norm import GhostNorm
from danlu.techniques.reports.validate import Validate
from danlu.techniques.update.ema import EMA

Draw = st.SearchStrategy[Any]
Tiny = user_file.load(f"{Path(__file__).with_name('tiny_sets.py')}:Tiny")
KINDS = get_args(field_types(Tiny)["kind"][0])
FOREIGN = {"timm", "transformers"}  # their nets are downloaded, or large

# Nets are drawn small, and take from the data what they can.
SIZES: dict[str, Draw] = {
    "width": st.sampled_from([8, 12, 16]), "depth": st.integers(1, 2), "heads": st.sampled_from([1, 2, 4]),
    "kv_heads": st.sampled_from([None, 1]), "hidden": st.none() | st.integers(1, 12), "embedding_width": st.integers(1, 4),
    "frequencies": st.integers(1, 4), "patch": st.sampled_from([2, 4]),
    "widths": st.lists(st.integers(1, 6), min_size=1, max_size=2).map(tuple),
}  # fmt: skip
SIZES_OF: dict[tuple[str, str], Draw] = {
    ("mlp", "hidden"): st.lists(st.integers(1, 12), max_size=2).map(tuple),
    ("resnet", "depth"): st.just(20),
    ("resnet", "width"): st.sampled_from([2, 4]),
}
OF_DATA = {
    "in_features", "out_features", "in_channels", "num_classes", "num_numeric", "cardinalities", "num_outputs", "vocab_size", "context",
    "image_size", "padding", "head", "ignore_index", "stem",
}  # fmt: skip
BY_NAME: dict[str, Draw] = {
    "minutes": st.sampled_from([None, 0.0, 60.0]),  # no course hangs on a clock
    "watch": st.just("val_loss"),
    "size": st.sampled_from([2, 4]) | st.integers(2, 16),  # of a ghost group
    "weights": st.sampled_from(["auto", "raw"]),  # "ema" only where there is one, below
}


def setting(name: str, annotation: Any, default: Any) -> Draw:
    """A value that somebody could choose."""
    if name in BY_NAME:
        return BY_NAME[name]
    any_arm = st.one_of([_arm(name, arm, default) for arm in arms(annotation)])
    return any_arm if default is REQUIRED else st.one_of(st.just(default), any_arm)


def _arm(name: str, arm: Any, default: Any) -> Draw:
    base, _ = bare(arm)
    if kind := kind_of(arm):
        return described(kind)
    if typing.get_origin(base) is Literal:
        return st.sampled_from(get_args(base))
    if written(arm):
        return st.sampled_from(["0s", "1h"])
    if base is float:
        return _float(arm, default)
    if base is int:
        return st.integers(0, 8).filter(lambda number: all(limit.holds(number) for limit in ranges(arm)))
    if is_list(base):
        inside = get_args(base)
        if inside[0] is str:  # names of layers or columns, which depend on the rest of the recipe
            return st.just(() if default is REQUIRED else default)
        if inside[-1] is ...:
            return st.lists(_arm(name, inside[0], REQUIRED), min_size=1, max_size=3).map(tuple)
        return st.tuples(*(_arm(name, each, REQUIRED) for each in inside))
    if is_description(base):
        return instance(base)
    return {bool: st.booleans(), NoneType: st.none(), str: st.just(default)}[base]


def _float(arm: Any, default: Any, ends: bool = True) -> Draw:
    """From a tenth of the default to three times it (of its distance from 1, where that is close); or near zero; and the closed ends."""
    limits = ranges(arm)
    if isinstance(default, float) and 0.5 < default < 1 and not all(limit.holds(1.1) for limit in limits):
        near = st.floats(-1, 0.5).map(lambda power: float(f"{1 - (1 - default) * 10**power:.6g}"))
    elif isinstance(default, float) and default and math.isfinite(default):
        near = st.floats(-1, 0.5).map(lambda power: float(f"{default * 10**power:.3g}"))
    else:
        near = st.floats(-2, 2).map(lambda number: round(number, 2))
    near = near.filter(lambda number: all(limit.holds(number) for limit in limits))
    if not ends or default is REQUIRED:
        return near
    last = [float(end) for limit in limits for end in (limit.low, limit.high) if end is not None] + [math.inf]
    closed = [end for end in last if limits and all(limit.holds(end) for limit in limits)]
    return st.one_of(near, near, near, st.sampled_from(closed)) if closed else near


def instance(cls: Any, sizes: dict[str, Draw] | None = None) -> Draw:
    """A description of that class."""
    sizes = sizes or {}
    types = {name: each for name, each in field_types(cls).items() if name not in OF_DATA}
    fields = {name: sizes[name] if name in sizes else setting(name, *each) for name, each in types.items()}
    return st.fixed_dictionaries(fields).map(lambda values: cls(**values))


@functools.cache
def described(kind: str, data: str | None = None) -> Draw:
    """A description of that kind, of any that are found; where data are named, one that fits them."""
    found = [each for each in find.catalogue(kind, others=False) if each.name not in FOREIGN]
    fitting = [each for each in found if data is None or builds(kind, each.load(), data)]
    drawn = st.one_of([instance(each.load(), _sizes(kind, each)) for each in fitting])
    return drawn.filter(lambda thing: made(thing, data)) if kind == "loss" else drawn


def _sizes(kind: str, found: find.Found) -> dict[str, Draw]:
    """What is drawn otherwise than by its range: the sizes of nets; and an optimiser's numbers, which stay near their defaults, ends left
    out, since Adam with beta2 = 0 and momentum, say, explodes as it should."""
    if kind == "model":
        return SIZES | {name: size for (owner, name), size in SIZES_OF.items() if owner == found.name}
    if kind == "optimizer":
        types = field_types(found.load())
        numbers = {name: each for name, each in types.items() if type(each[1]) is float}
        return {name: st.just(default) | _float(annotation, default, ends=False) for name, (annotation, default) in numbers.items()}
    return {}


@functools.cache
def builds(kind: str, cls: Any, data: str) -> bool:
    """Whether a description of that class (a technique's example, else its defaults) can be trained and measured on those data."""
    fields: dict[str, Any] = {"model": _plain_model(data)} if kind != "model" else {}
    if any(default is REQUIRED for _, default in field_types(cls).values()):
        return False
    made = cls.example() if kind == "technique" else cls()
    fields |= {f"{kind}s": (made,)} if kind in ("metric", "technique") else {kind: made}
    try:
        with Run(Recipe(data=Tiny(data), steps=1, batch_size=4, device="cpu", **fields)) as run:
            return bool(list(run))
    except Trouble:
        return False


def made(thing: Any, data: str) -> bool:
    """Whether it has, say, as many class weights as the data have classes."""
    try:
        thing(facts(data))
    except Trouble:
        return False
    return True


@functools.cache
def facts(data: str) -> Any:
    return Tiny(data, 24)().facts


@functools.cache
def _plain_model(data: str) -> Any:
    models = [find.find("model", name).load() for name in ("mlp", "tabular_net", "gpt", "bert")]
    return next(cls() for cls in models if builds("model", cls, data))


@st.composite
def recipes(draw: Any) -> Recipe:
    """A recipe of one to six techniques."""
    data = draw(st.sampled_from(KINDS))
    batch_size = draw(st.sampled_from([4, 8, 12, 16]))
    techniques = tuple(draw(st.lists(described("technique", data), min_size=1, max_size=6)))
    averaged = {"weights": st.sampled_from(["auto", "raw", "ema"])} if any(isinstance(each, EMA) for each in techniques) else {}
    return Recipe(
        model=draw(described("model", data)),
        data=Tiny(data, draw(st.sampled_from([24, 33, 40]))),
        loss=draw(st.just("auto") | described("loss", data)),
        optimizer=draw(st.none() | described("optimizer")),
        schedule=draw(st.none() | described("schedule")),
        techniques=techniques,
        precision=draw(st.sampled_from(["fp32", "fp64", "bf16"])),
        **draw(st.integers(1, 7).map(lambda n: {"steps": n}) | st.sampled_from([0.5, 1.0, 1.5, 2.0]).map(lambda n: {"epochs": n})),
        batch_size=batch_size,
        micro_batch_size=draw(st.none() | _micro_batch_sizes(techniques, batch_size)),
        validate=draw(st.sampled_from([None, False]) | instance(Validate, averaged)),
        metrics=tuple(draw(st.lists(described("metric", data), max_size=3, unique_by=lambda metric: type(metric)))),
        seed=draw(st.integers(0, 2**31)),
        device="cpu",
    )


def _micro_batch_sizes(techniques: tuple[Any, ...], batch_size: int) -> Draw:
    """Mostly those that part no group of rows that belong together, as somebody who read the help would choose."""
    together = math.lcm(*(technique.size if isinstance(technique, GhostNorm) else 2 for technique in techniques))
    fitting = [size for size in range(1, batch_size + 1) if size % together == 0] or [batch_size]
    return st.sampled_from(fitting) | st.sampled_from(fitting) | st.integers(1, batch_size)


def wild() -> Draw:
    """A recipe whose optimiser, schedule and techniques may have any setting that their fields allow."""
    kinds = {
        "optimizer": _anything("optimizer"),
        "schedule": st.none() | _anything("schedule"),
        "techniques": st.lists(_anything("technique"), min_size=1, max_size=3).map(tuple),
    }
    return st.tuples(recipes(), st.fixed_dictionaries({}, optional=kinds)).map(lambda both: replace(both[0], **both[1]))


def _anything(kind: str) -> Draw:
    return st.one_of([_whole(each.load()) for each in find.catalogue(kind, others=False)])


def _whole(cls: Any) -> Draw:
    """A description whose numbers come from the whole of their ranges."""
    fields = {}
    for name, (annotation, _) in field_types(cls).items():
        numbers = [arm for arm in arms(annotation) if not written(arm)]
        fields[name] = BY_NAME[name] if name in ("minutes", "watch") else st.one_of([drawn.field(arm) for arm in numbers]).map(_held)
    needed = {name: each for name, each in fields.items() if field_types(cls)[name][1] is REQUIRED}
    free = {name: each for name, each in fields.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=free).map(lambda values: cls(**values))


def _held(number: Any) -> Any:
    """Numbers whose products float32 can hold: torch's optimisers raise an error of their own for others."""
    return math.copysign(min(abs(number), 1e9), number) if isinstance(number, float) and math.isfinite(number) else number
