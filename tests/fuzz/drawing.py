"""Hypothesis strategies for whole recipes that could well be written: every part is one that `danlu.find` lists and that fits the data;
every setting is drawn from the range that its field declares, near the field's default, ends included."""

from __future__ import annotations

import functools
import math
import typing
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args

from hypothesis import strategies as st

from danlu import find
from danlu.core import Recipe, Run
from danlu.describe import user_file
from danlu.describe.annotations import REQUIRED, arms, bare, field_types, is_description, is_list, kind_of, ranges, written
from danlu.errors import Trouble
from danlu.techniques.reports.validate import Validate

Draw = st.SearchStrategy[Any]
Tiny = user_file.load(f"{Path(__file__).with_name('tiny_sets.py')}:Tiny")
KINDS = get_args(field_types(Tiny)["kind"][0])
FOREIGN = {"timm", "transformers"}  # their nets are downloaded, or large

# Nets are drawn small, and take from the data what they can.
SIZES: dict[str, Draw] = {
    "width": st.sampled_from([4, 8, 12]), "depth": st.integers(1, 2), "heads": st.sampled_from([1, 2, 4]), "patch": st.sampled_from([2, 4]),
    "kv_heads": st.sampled_from([None, 1, 2]), "hidden": st.none() | st.integers(1, 12), "embedding_width": st.integers(1, 4),
    "frequencies": st.integers(1, 4), "widths": st.lists(st.integers(1, 6), min_size=1, max_size=2).map(tuple),
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
}


def setting(name: str, annotation: Any, default: Any) -> Draw:
    """A value that somebody could choose."""
    if name in BY_NAME:
        return BY_NAME[name]
    drawn = st.one_of([_arm(name, arm, default) for arm in arms(annotation)])
    return drawn if default is REQUIRED else st.one_of(st.just(default), drawn)


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
        if inside[-1] is ...:
            return st.lists(_arm(name, inside[0], REQUIRED), min_size=1, max_size=3).map(tuple)
        return st.tuples(*(_arm(name, each, REQUIRED) for each in inside))
    if is_description(base):
        return instance(base)
    return {bool: st.booleans(), NoneType: st.none(), str: st.just(default)}[base]


def _float(arm: Any, default: Any) -> Draw:
    """From a tenth of the default to three times it (of its distance from 1, where that is close); or near zero; and the closed ends."""
    limits = ranges(arm)
    if isinstance(default, float) and 0.5 < default < 1 and not all(limit.holds(1.1) for limit in limits):
        near = st.floats(-1, 0.5).map(lambda power: float(f"{1 - (1 - default) * 10**power:.6g}"))
    elif isinstance(default, float) and default and math.isfinite(default):
        near = st.floats(-1, 0.5).map(lambda power: float(f"{default * 10**power:.3g}"))
    else:
        near = st.floats(-2, 2).map(lambda number: round(number, 2))
    near = near.filter(lambda number: all(limit.holds(number) for limit in limits))
    ends = [float(end) for limit in limits for end in (limit.low, limit.high) if end is not None] + [math.inf]
    ends = [end for end in ends if limits and all(limit.holds(end) for limit in limits)]
    return st.one_of(near, near, near, st.sampled_from(ends)) if ends and default is not REQUIRED else near


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
    drawn = [(cls := each.load(), _sizes(each.name) if kind == "model" else _moderate(cls) if kind == "optimizer" else None) for each in found]
    if data is None:
        return st.one_of([instance(cls, sizes) for cls, sizes in drawn])
    fitting = st.one_of([instance(cls, sizes) for cls, sizes in drawn if builds(kind, cls, data)])
    return fitting.filter(lambda thing: made(thing, data)) if kind == "loss" else fitting


def _sizes(model: str) -> dict[str, Draw]:
    return SIZES | {name: drawn for (owner, name), drawn in SIZES_OF.items() if owner == model}


def _moderate(optimizer: Any) -> dict[str, Draw]:
    """Its numbers near their defaults, no ends: Adam with beta2 = 0 and momentum, say, is known to explode."""
    types = field_types(optimizer)
    return {name: _float(annotation, default).filter(bool) | st.just(default) for name, (annotation, default) in types.items() if type(default) is float}


@functools.cache
def builds(kind: str, cls: Any, data: str) -> bool:
    """Whether a description of that class (at its defaults) can be trained and measured on those data."""
    fields: dict[str, Any] = {"model": _plain_model(data)} if kind != "model" else {}
    if any(default is REQUIRED for _, default in field_types(cls).values()):
        return False
    fields[f"{kind}s" if kind == "metric" else kind] = (cls(),) if kind == "metric" else cls()
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
    batch_size = draw(st.sampled_from([4, 6, 8, 12, 16]))
    validate = draw(st.sampled_from([None, False]) | instance(Validate))
    return Recipe(
        model=draw(described("model", data)),
        data=Tiny(data, draw(st.sampled_from([24, 33, 40]))),
        loss=draw(st.just("auto") | described("loss", data)),
        optimizer=draw(st.none() | described("optimizer")),
        schedule=draw(st.none() | described("schedule")),
        techniques=tuple(draw(st.lists(described("technique"), min_size=1, max_size=6))),
        precision=draw(st.sampled_from(["fp32", "fp64", "bf16"])),
        **draw(st.integers(1, 7).map(lambda n: {"steps": n}) | st.sampled_from([0.5, 1.0, 1.5, 2.0]).map(lambda n: {"epochs": n})),
        batch_size=batch_size,
        micro_batch_size=draw(st.none() | st.integers(1, batch_size)),
        validate=validate,
        metrics=tuple(draw(st.lists(described("metric", data), max_size=3, unique_by=lambda metric: type(metric)))),
        seed=draw(st.integers(0, 2**31)),
        device="cpu",
    )
