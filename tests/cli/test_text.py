"""Columns of a terminal: Chinese letters take two, and lines break between them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from danlu.cli.text import aligned, padded, width, wrapped

LETTERS = st.text(alphabet="ab c，。（炼丹炉。é\n-", max_size=60)


@given(LETTERS)
def test_width_is_that_of_rich(text: str) -> None:
    text = text.replace("\n", "")
    assert width(text) == cell_len(text)


@given(LETTERS, st.integers(8, 40))
def test_wrapping_loses_nothing_and_fits(text: str, columns: int) -> None:
    lines = wrapped(text, columns)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:  # a long word, or punctuation that may not begin a line, may stand out
        assert width(line.rstrip("，。")) <= columns or " " not in line.strip()


def test_brackets_and_points_stay_with_their_words() -> None:
    assert wrapped("炼丹炉（丹）。", 8) == ["炼丹炉", "（丹）。"]
    assert wrapped("炼丹（lr）炉", 7) == ["炼丹", "（lr）", "炉"]


def test_alignment() -> None:
    assert aligned([("a", "one"), ("名称", "two")], 40) == "  a     one\n  名称  two"
    assert aligned([("x" * 30, "said")], 40).splitlines() == ["  " + "x" * 30, " " * 32 + "said"]
    assert padded("炼", 4) == "炼  "
