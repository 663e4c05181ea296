"""YAML 1.2 and JSON files: scalars by the core schema, round trips, lines, refusals, bounds; recipes by name, file and Python."""

from __future__ import annotations

import json
import math
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import drawn
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from danlu.core import Recipe
from danlu.describe import json_lines, recipe_file, yaml12
from danlu.describe.forms import from_data, to_data
from danlu.errors import BadInput, speak

KEYS = st.text(min_size=1, max_size=8) | st.sampled_from(["no", "1", "null", "a b", "a: b", "#", "-", "?", "<<", "网"])
DATA = st.recursive(drawn.PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    speak("en")
    yield
    speak(None)


def exact(a: Any, b: Any) -> bool:
    """Equal with equal types, all the way down, and signed zeros told apart."""
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(exact(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(exact, a, b))
    return type(a) is type(b) and a == b and (not isinstance(a, float) or math.copysign(1, a) == math.copysign(1, b))


@many
@given(DATA)
def test_yaml_written_reads_back(data: Any) -> None:
    text = yaml12.write(data)
    assert exact(yaml12.read(text, "x")[0], data)


@many
@given(DATA)
def test_json_written_reads_back(data: Any) -> None:
    text = json_lines.write(data)
    assert json.loads(text) == json_lines.read(text, "x")[0]
    if "Infinity" not in json.dumps(data):
        assert exact(json_lines.read(text, "x")[0], data)


@many
@given(st.recursive(st.none() | st.booleans() | st.integers(-999, 999) | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)), st.sampled_from([None, 0, 2, "\t"]), st.booleans())  # fmt: skip  # noqa: E501
def test_json_agrees_with_the_standard_library(data: Any, indent: Any, ascii_only: bool) -> None:
    assert json_lines.read(json.dumps(data, indent=indent, ensure_ascii=ascii_only), "x")[0] == data


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(drawn.recipe())
def test_every_recipe_survives_its_files(recipe: Recipe) -> None:
    data = to_data(recipe)
    assert from_data(*yaml12.read(recipe_file.write(data), "x")) == recipe
    assert from_data(*json_lines.read(json_lines.write(data), "x")) == recipe
    assert from_data(*yaml12.read(recipe_file.commented_yaml(recipe), "x")) == recipe


@pytest.mark.parametrize(
    "text, value",
    [
        ("1e-3", 1e-3), ("1E3", 1000.0), ("012", 12), ("-7", -7), ("+7", 7), ("0o17", 15), ("0x1f", 31), (".5", 0.5), ("5.", 5.0),
        (".inf", math.inf), ("-.Inf", -math.inf), ("null", None), ("~", None), ("", None), ("true", True), ("FALSE", False), ("no", "no"),
        ("1_000", "1_000"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("1:30", "1:30"), ("0b11", "0b11"),
        ("2026-01-01", "2026-01-01"), ("inf", "inf"), ("'1'", "1"), ('"no"', "no"), ("=", "="), ("1e", "1e"), ("e3", "e3"), (".", "."),
        ("0o8", "0o8"), ("tRue", "tRue"), ("<<", "<<"),
    ],
)  # fmt: skip
def test_scalars_of_the_core_schema(text: str, value: Any) -> None:
    found = yaml12.read(f"key: {text}", "x")[0]["key"]
    assert found == value and type(found) is type(value)


def test_nan() -> None:
    assert math.isnan(yaml12.read(".nan", "x")[0])


def test_text_that_yaml_1_1_would_read_otherwise_is_quoted() -> None:
    for text in ("no", "on", "1e-3", "null", "0o7", "~", "12:30:45", "2026-01-01", "1_000"):
        assert yaml.safe_load(yaml12.write({"a": text})) == {"a": text}


def test_lines_of_keys(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("model: mlp\n\noptimizer:\n  adamw:\n    lr: 1\ntechniques:\n  - ema\n  - clip:\n      max_norm: 1\n")
    data, places = recipe_file.read(tmp_path / "a.yaml")
    assert data["techniques"] == ["ema", {"clip": {"max_norm": 1}}]
    for key, line in [
        (("optimizer", "adamw", "lr"), 5),
        (("techniques", 1), 8),
        (("techniques", 1, "clip", "max_norm"), 9),
        (("model",), 1),
    ]:
        assert places.where(key).endswith(f"a.yaml:{line}")
    (tmp_path / "a.json").write_text('{"model": "mlp",\n\n"optimizer": {"adamw":\n{"lr": 1}},\n"techniques": ["ema",\n"clip"]}')
    data, places = recipe_file.read(tmp_path / "a.json")
    for key, line in [(("optimizer", "adamw", "lr"), 4), (("techniques", 1), 6), (("optimizer",), 3)]:
        assert places.where(key).endswith(f"a.json:{line}")


BOMB = "a: &a [x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20))


@pytest.mark.parametrize(
    "suffix, text, said",
    [
        ("yaml", "a: 1\nb: 2\na: 3\n", ":3: `a`: written twice, first in line 1; keep one"),
        ("yaml", "m:\n  a: 1\n  a: 3\n", ":3: `m.a`: written twice, first in line 2"),
        ("yaml", "a: !!str 1\n", ":1: the tag `tag:yaml.org,2002:str` is not allowed"),
        ("yaml", "x: 1\na: !!python/object/apply:os.system ['true']\n", ":2: the tag"),
        ("yaml", BOMB, ":1: `&a` (an anchor or alias) is not allowed"),
        ("yaml", "a: *b\n", ":1: `*b` (an anchor or alias) is not allowed"),
        ("yaml", "[" * 10_000, "more than 50 levels deep"),
        ("yaml", "\n".join(" " * i + "a:" for i in range(60)), ":51: more than 50 levels deep"),
        ("yaml", "[" + "1," * 200_000 + "]", "more than 100000 values"),
        ("yaml", "a:\n\tb: 1\n", ":2: a tab in the indentation; use spaces"),
        ("yaml", "a: [1\nb: 2\n", "not valid YAML"),
        ("yaml", "a: 1\nb: \x07\n", ":2: not valid YAML"),
        ("yaml", "a: 1\n---\nb: 2\n", ":3: a second document starts here"),
        ("yaml", "1: a\n", ":1: the key 1 is not text; put it in quotes"),
        ("yaml", "? [a]\n: b\n", ":1: the key [...] is not text"),
        ("yaml", "a: 1e999\n", ":1: the number 1e999 is too large; write .inf for infinity"),
        ("yaml", f"a: {'9' * 5000}\n", ":1: the number"),
        ("json", '{"a": 1,\n"a": 2}', ":2: `a`: written twice, first in line 1"),
        ("json", "[" * 10_000, "more than 50 levels deep"),
        ("json", "[" + "1," * 200_000 + "1]", "more than 100000 values"),
        ("json", '{"a": NaN}', ":1: not valid JSON: expected a value, found 'N'"),
        ("json", '{"a": 1e999}', ":1: the number 1e999 is too large"),
        ("json", '{"a": 1,}', "not valid JSON"),
        ("json", '{"a": 1} x', "not valid JSON"),
        ("json", '{"a": "\n"}', ":1: not valid JSON"),
        ("json", '{"a": 01}', "not valid JSON"),
        ("json", "", "not valid JSON: expected a value, found the end"),
        ("json", '{"a"', "not valid JSON"),
        ("json", "{'a': 1}", "not valid JSON"),
        ("toml", "", "ends in .yaml, .yml or .json"),
    ],
)  # fmt: skip
def test_what_is_refused_with_its_line(tmp_path: Path, suffix: str, text: str, said: str) -> None:
    (tmp_path / f"my.{suffix}").write_text(text, "utf-8")
    start = time.perf_counter()
    with pytest.raises(BadInput) as trouble:
        recipe_file.read(tmp_path / f"my.{suffix}")
    assert said in str(trouble.value) and f"my.{suffix}" in str(trouble.value)
    assert time.perf_counter() - start < 2


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_bytes(b"a: 1\nb: \xff\xfe\n")
    with pytest.raises(BadInput, match=r"my.yaml:2: not UTF-8 text"):
        recipe_file.read(tmp_path / "my.yaml")
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert recipe_file.read(tmp_path / "bom.yaml")[0] == {"a": 1, "b": 2}


def test_a_huge_file_is_refused_quickly_and_in_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "my.yaml").open("wb") as file:
        file.truncate(100 << 20)
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(BadInput, match="at most 10485760 bytes; this one has 104857600"):
        recipe_file.read(tmp_path / "my.yaml")
    assert time.perf_counter() - start < 1 and tracemalloc.get_traced_memory()[1] < 50 << 20
    tracemalloc.stop()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read .*No such file"):
        recipe_file.read(tmp_path / "my.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(BadInput, match="cannot read"):
        recipe_file.read(tmp_path / "folder.yaml")


def test_load_recipe(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("model: mlp\ndata: digits\nepochs: 3\n")
    (tmp_path / "a.json").write_text('{"model": "mlp", "data": "digits", "epochs": 3}')
    (tmp_path / "a.py").write_text(
        "from danlu.core import Recipe\nfrom danlu.nets.mlp import MLP\nfrom danlu.describe.forms import from_data\n"
        "def made(): return from_data({'model': 'mlp', 'data': 'digits', 'epochs': 3})\nready = made()\nwrong = 3\nready2 = Recipe\n"
    )
    expected = from_data({"model": "mlp", "data": "digits", "epochs": 3})
    for spec in ("a.yaml", "a.json", "a.py:made", "a.py:ready"):
        assert recipe_file.load_recipe(str(tmp_path / spec)) == expected
    with pytest.raises(BadInput, match="must be a Recipe, or a function"):
        recipe_file.load_recipe(f"{tmp_path}/a.py:wrong")
    with pytest.raises(BadInput, match="must be a Recipe, or a function"):
        recipe_file.load_recipe(f"{tmp_path}/a.py:ready2")
    with pytest.raises(BadInput, match="no recipe is named `no_such_recipe`"):
        recipe_file.load_recipe("no_such_recipe")


def test_commented_yaml_says_what_each_field_is() -> None:
    text = recipe_file.commented_yaml(from_data({"model": "mlp", "data": "digits", "epochs": 3, "optimizer": "adamw"}))
    assert "    lr: 0.001  # learning rate (0 < x)" in text.splitlines()
    assert all("  #" in line or line.startswith("#") or not line for line in text.splitlines())
    speak("zh")
    text = recipe_file.commented_yaml(from_data({"model": "mlp", "data": "digits", "epochs": 3, "optimizer": "adamw"}))
    assert "    lr: 0.001  # 学习率；取值：0 < x" in text.splitlines()
    for line in text.splitlines():
        note = line.partition("  # ")[2]
        assert not note or any("\u4e00" <= letter <= "\u9fff" for letter in note) or note in ("0 < x", "x"), line
