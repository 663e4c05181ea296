"""The JSON Schema accepts what is read as a recipe and rejects what is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import drawn
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from danlu.core import Recipe
from danlu.describe.forms import from_data, to_data
from danlu.describe.schema import schema
from danlu.errors import BadInput, speak

SCHEMA = jsonschema.Draft202012Validator(schema())
BASE = {"model": "mlp", "data": "digits", "epochs": 3}


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA.schema)
    assert "learning rate" in SCHEMA.schema["$defs"]["optimizer.adamw"]["properties"]["lr"]["description"]


def test_its_descriptions_are_in_the_chosen_language() -> None:
    speak("zh")
    try:
        made = schema()
    finally:
        speak(None)
    assert len(list(described(made))) == len(list(described(SCHEMA.schema))) > 300
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in said) for said in described(made))
    assert not any("\u4e00" <= letter <= "\u9fff" for said in described(SCHEMA.schema) for letter in said)


def described(part: Any) -> Iterator[str]:
    """Every description in a schema."""
    if isinstance(part, dict):
        if isinstance(part.get("description"), str):
            yield part["description"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from described(each)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(drawn.recipe())
def test_it_accepts_every_recipe(recipe: Recipe) -> None:
    SCHEMA.validate(to_data(recipe))
    SCHEMA.validate(to_data(recipe, full=True))


@pytest.mark.parametrize(
    "change",
    [
        {"model": None}, {"data": 3}, {"optimizr": "adamw"}, {"optimizer": "adamx"}, {"optimizer": {"adamw": {"lrr": 1}}},
        {"optimizer": {"adamw": {"lr": 0}}}, {"optimizer": {"adamw": {"lr": "1"}}}, {"optimizer": {"adamw": {}, "lion": {}}}, {"steps": 3},
        {"epochs": 0}, {"epochs": None}, {"batch_size": 0}, {"batch_size": 1.5}, {"precision": "bf61"}, {"techniques": "ema"},
        {"techniques": [{"ema": {"decay": 2}}]}, {"seed": True}, {"validate": True}, {"validate": {"evry": 1}}, {"loss": "accuracy"},
    ],
)  # fmt: skip
def test_it_rejects_what_from_data_refuses(change: dict[str, Any]) -> None:
    data = {**BASE, **change}
    with pytest.raises(BadInput):
        from_data(data)
    assert not SCHEMA.is_valid(data)


@pytest.mark.parametrize(
    "change", [{}, {"model": "net.py:Net"}, {"model": {"C:\\x\\net.py:Net": {"a": 1}}}, {"steps": None}, {"validate": False}]
)
def test_it_accepts_a_users_file(change: dict[str, Any]) -> None:
    SCHEMA.validate({**BASE, **change})
