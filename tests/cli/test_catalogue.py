"""`danlu list` and `danlu show`: by kind, name, seam and scope row."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

from danlu import find, messages
from danlu.cli.show import about, default, page, use
from danlu.describe import yaml12
from danlu.describe.annotations import bare, field_types, is_description, show
from danlu.errors import speak
from danlu.fields import Range
from danlu.find.limits import limits
from danlu.find.source import FOLDERS, SEAMS


def test_list_has_every_name(danlu) -> None:
    out = danlu("list").out
    for kind in FOLDERS:
        assert all(f"  {name} " in out for name in find.names(kind)), kind


@pytest.mark.parametrize("word", ["loss", "losses", "损失"])
def test_kinds_by_any_of_their_names(danlu, word: str) -> None:
    assert {entry["name"] for entry in json.loads(danlu("list", word, "--json").out)} == set(find.names("loss"))


@pytest.mark.parametrize("seam", SEAMS)
def test_by_seam(danlu, seam: str) -> None:
    found = json.loads(danlu("list", "--seam", seam, "--json").out)
    assert {entry["name"] for entry in found} == {f.name for f in find.catalogue("technique") if f.seam == seam}


def test_by_scope_row(danlu) -> None:
    found = {entry["name"] for entry in json.loads(danlu("show", "--row", "2.10", "--json").out)}
    assert {"early_stop", "validate"} <= found
    assert "mixup" not in found
    answer = danlu("list", "--row", "2.99")
    assert answer.code == 2
    assert "2.10" in answer.last


def test_show_says_what_the_source_says(danlu) -> None:
    out = danlu("show", "early_stop").out
    for field in find.find("technique", "early_stop").fields:
        assert f"  {field.name} = " in out
    assert "measurements without improvement that are borne (0 <= x)" in out
    assert "When it helps" in out
    assert "early_stop.py:" in out
    assert "验证指标不再改善" in danlu("show", "early_stop", "--lang", "zh").out


def test_show_says_what_fields_are_in_the_chosen_language(danlu) -> None:
    for found in find.catalogue(others=False):
        pages = danlu("show", found.attribute, "--lang", "zh").out
        assert messages.IN_ENGLISH.zh not in pages, found.name
        for field in found.fields:
            assert "".join(field.doc.zh.split()) in "".join(pages.split()), (found.name, field.name)
    assert "连续出错这么多步才回滚；取值：1 <= x" in danlu("show", "nonfinite", "--lang", "zh").out
    entry = json.loads(danlu("show", "clip", "--json").out)[0]["fields"][0]
    assert (entry["doc"], entry["doc_zh"]) == tuple(find.find("technique", "clip").fields[0].doc)


def test_what_is_english_alone_is_marked_on_a_chinese_page(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text('class Mine:\n    """Mine.\n\n    It is small.\n    """\n', "utf-8")
    mine = dataclasses.replace(find.find("loss", "mse"), path=str(file), attribute="Mine", summary="Mine.", chinese="")
    for language, marked in (("zh", True), ("en", False)):
        speak(language)
        assert "It is small." in page(mine)
        assert (messages.IN_ENGLISH.zh in page(mine)) == marked
        assert messages.IN_ENGLISH.zh not in page(find.find("loss", "huber"))
    speak(None)


def test_show_takes_class_names_and_names_of_several_kinds(danlu) -> None:
    assert danlu("show", "MixUp").out == danlu("show", "mixup").out
    kinds = [entry["kind"] for entry in json.loads(danlu("show", "mae", "--json").out)]
    assert kinds == ["loss", "metric"]


@pytest.mark.parametrize(("word", "said"), [("mixupp", "`mixup`"), ("xyzzy", "danlu list"), ("techniqes", "`technique`")])
def test_unknown_words(danlu, word: str, said: str) -> None:
    answer = danlu("show", word)
    assert answer.code == 2
    assert said in answer.last


def test_show_needs_something(danlu) -> None:
    assert "needs NAME" in danlu("show").last


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ("PositiveInt", "1 <= x"),
        ("tuple[Rate, ...] | None", "0 <= x < 1"),
        ("Literal['auto', 'min']", "auto, min"),
        ("Literal['a', 2, None] | Positive", "a, 2, null; 0 < x"),
        ("Annotated[int, Range(-1, 1 << 4, open_low=True)]", "-1 < x <= 16"),
        ("float", ""),
        ("Positive | None", "0 < x"),
    ],
)
def test_limits_from_source(annotation: str, said: str) -> None:
    assert limits(annotation, "") == said


def test_limits_of_a_module_s_own_aliases(tmp_path: Path) -> None:
    (tmp_path / "kinds.py").write_text("from typing import Literal\nMode = Literal['up', 'down']\n", "utf-8")
    (tmp_path / "base.py").write_text(
        "from math import inf\nWide = Annotated[float, Range(2, inf)]\nfrom mine import Mine\nclass Base(Mine):\n    x: Wide\n", "utf-8"
    )
    module = tmp_path / "mine.py"
    module.write_text(
        "from .kinds import Mode as Way\nfrom base import Base\nfrom danlu.optim.fused import Fused\n"
        "Small = Annotated[int, Range(0, 3)]\nTold = Annotated[int, Range(LOWEST)]\nclass Mine(Base):\n    way: Way\n",
        "utf-8",
    )
    said = {name: limits(name, str(module)) for name in ("Way", "Wide", "Fused", "Small | None", "Told", "Unknown")}
    assert said == {"Way": "up, down", "Wide": "2 <= x", "Fused": "auto, on, off", "Small | None": "0 <= x <= 3", "Told": "", "Unknown": ""}


def resolved(annotation: object) -> set[str]:
    """Ranges and choices of an annotation that Python has resolved."""
    base, extras = bare(annotation)
    found = {str(extra) for extra in extras if isinstance(extra, Range)}
    if get_origin(base) is Literal:
        return found | {show(value) for value in get_args(base)}
    return found.union(*(resolved(inner) for inner in get_args(base)))


@pytest.mark.parametrize("kind", [kind for kind in FOLDERS if kind != "recipe"])
def test_limits_and_defaults_are_those_of_the_classes(kind: str) -> None:
    for found in find.catalogue(kind, others=False):
        types = field_types(found.load())
        for field in found.fields:
            annotation, value = types[field.name]
            said = limits(field.annotation, found.path)
            assert {part for part in re.split("; |, ", said) if part} == resolved(annotation), (found.name, field.name)
            if field.default is not None and not is_description(type(value)):
                read, _ = yaml12.read(f"x: {default(field)}", "x.yaml")
                assert read["x"] == (list(value) if isinstance(value, tuple) else value), (found.name, field.name)


def test_every_entry_has_a_page(danlu) -> None:
    for found in find.catalogue():
        assert use(found).startswith("danlu train ")
        assert "Scope:" not in about(found)
        assert "中文" not in about(found)


def test_what_show_says_can_be_typed(danlu, recipe) -> None:
    """The line under `use it` of each technique is one that recipes understand."""
    for name in find.names("technique"):
        call = use(find.find("technique", name)).partition("--with ")[2]
        answer = danlu("explain", str(recipe), "--yaml", "--with", call)
        assert answer.code == 0, answer.err
