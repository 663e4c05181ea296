"""`danlu list` and `danlu show`: by kind, name, seam and scope row."""

from __future__ import annotations

import json

import pytest

from danlu import find
from danlu.cli.show import about, allowed, use
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
        for field in found.fields:
            assert "".join(field.doc.zh.split()) in "".join(pages.split()), (found.name, field.name)
    assert "连续出错这么多步才回滚；取值：1 <= x" in danlu("show", "nonfinite", "--lang", "zh").out
    entry = json.loads(danlu("show", "clip", "--json").out)[0]["fields"][0]
    assert (entry["doc"], entry["doc_zh"]) == tuple(find.find("technique", "clip").fields[0].doc)


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
        ("float", ""),
        ("Positive | None", "0 < x"),
    ],
)
def test_ranges_from_source(annotation: str, said: str) -> None:
    assert allowed(annotation) == said


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
