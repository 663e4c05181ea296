"""Hypothesis strategies for anything that a recipe can hold, drawn from the annotations that recipes are read by."""

from __future__ import annotations

import types
import typing
from typing import Any, Literal

from hypothesis import strategies as st

from danlu import find
from danlu.describe.annotations import REQUIRED, arms, bare, field_types, is_description, is_list, is_mapping, kind_of, ranges, written

TEXT = st.text(max_size=12) | st.sampled_from(
    ["no", "on", "1e-3", "012", "~", "", ".inf", "true", "C:\\x y", "a: b", "# c", "- d", "网络", "\t"]
)
PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXT


def field(annotation: Any) -> st.SearchStrategy[Any]:
    """A value that the annotation allows."""
    return st.one_of([_arm(arm) for arm in arms(annotation)])


def _arm(arm: Any) -> st.SearchStrategy[Any]:
    base, _ = bare(arm)
    if kind := kind_of(arm):
        return description(kind)
    if typing.get_origin(base) is Literal:
        return st.sampled_from(typing.get_args(base))
    if base in (int, float):
        return _number(base, arm)
    if is_list(base):
        inside = typing.get_args(base)
        if inside[-1] is ...:
            return st.lists(field(inside[0]), max_size=3).map(tuple)
        return st.tuples(*map(field, inside))
    if is_mapping(base):
        return st.dictionaries(TEXT, field((*typing.get_args(base), Any, Any)[1]), max_size=2)
    if is_description(base):
        return instance(base)
    if form := written(arm):
        return st.from_regex(form.pattern, fullmatch=True)
    return {str: TEXT, bool: st.booleans(), types.NoneType: st.none(), Any: PLAIN}[base]


def _number(base: type, arm: Any) -> st.SearchStrategy[Any]:
    limits = ranges(arm)
    lows = [limit.low for limit in limits if limit.low is not None]
    highs = [limit.high for limit in limits if limit.high is not None]
    low, high = (max(lows) if lows else None), (min(highs) if highs else None)
    if base is int:
        whole = st.integers(low if low is None else int(low), high if high is None else int(high))
        return whole.filter(lambda value: all(limit.holds(value) for limit in limits))
    drawn = st.floats(low, high, allow_nan=False, allow_infinity=None if limits else False)
    return drawn.filter(lambda value: all(limit.holds(value) for limit in limits))


def instance(cls: Any) -> st.SearchStrategy[Any]:
    """A description of that class; any of its fields may be left out."""
    fields = field_types(cls)
    needed = {name: field(annotation) for name, (annotation, default) in fields.items() if default is REQUIRED}
    free = {name: field(annotation) for name, (annotation, default) in fields.items() if default is not REQUIRED}
    return st.fixed_dictionaries(needed, optional=free).map(lambda values: cls(**values))


def description(kind: str) -> st.SearchStrategy[Any]:
    return st.deferred(lambda: st.one_of([instance(found.load()) for found in find.catalogue(kind, others=False)]))


def recipe() -> st.SearchStrategy[Any]:
    from danlu.core import Recipe

    fields = {name: field(annotation) for name, (annotation, _) in field_types(Recipe).items()}
    length = st.one_of(
        st.fixed_dictionaries({"epochs": fields["epochs"].filter(lambda value: value is not None)}),
        st.fixed_dictionaries({"steps": fields["steps"].filter(lambda value: value is not None)}),
    )
    needed = {name: fields.pop(name) for name in ("model", "data")}
    del fields["epochs"], fields["steps"]
    both = st.tuples(st.fixed_dictionaries(needed, optional=fields), length)
    return both.map(lambda pair: Recipe(**pair[0], **pair[1]))
