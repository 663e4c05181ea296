"""Flags and words in any order; whatever is wrong is named with what would be right."""

from __future__ import annotations

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from danlu.cli.parse import Command, Flag, help_of, parse
from danlu.errors import BadInput, Sentence, speak

ABOUT = Sentence("about", "关于")
FLAGS = (Flag("--with", ABOUT, "T", many=True), Flag("--out", ABOUT, "DIR"), Flag("--json", ABOUT))
COMMAND = Command("cook", ABOUT, "RECIPE [field=value ...]", 1, 3, FLAGS)


def test_flags_and_words_mix() -> None:
    words, given = parse(COMMAND, ["a", "--with", "x(y=1)", "b=1", "--with=z", "--json", "c=--d"])
    assert words == ["a", "b=1", "c=--d"]
    assert (given["--with"], given["--json"], given["--out"], given["--debug"]) == (["x(y=1)", "z"], True, None, False)


def test_after_two_dashes_all_are_words() -> None:
    assert parse(COMMAND, ["--", "--json", "-x"])[0] == ["--json", "-x"]


def test_values_may_start_with_one_dash_and_words_with_none() -> None:
    assert parse(COMMAND, ["a", "--out", "-1"])[1]["--out"] == "-1"
    assert parse(COMMAND, ["-", "lr=-1"])[0] == ["-", "lr=-1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a", "--jsn"], "did you mean `--json`?"),
        (["a", "--lr=3"], "without dashes: lr=VALUE"),
        (["a", "--optimizer.lr", "3"], "without dashes: optimizer.lr=VALUE"),
        (["a", "--out"], "--out DIR"),
        (["a", "--out", "--json"], "--out DIR"),
        (["a", "--json=yes"], "takes no value"),
        ([], "danlu cook needs RECIPE"),
        (["a", "b", "c", "d"], "`d` is one word too many"),
    ],
)
def test_wrong_lines(arguments: list[str], said: str) -> None:
    speak("en")
    with pytest.raises(BadInput) as trouble:
        parse(COMMAND, arguments)
    assert said in str(trouble.value)
    speak("zh")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in str(trouble.value))
    speak(None)


def test_help_asks_for_no_words() -> None:
    assert parse(COMMAND, ["-h"])[1]["--help"]
    page = help_of(COMMAND)
    assert "danlu cook RECIPE [field=value ...] [--with T]... [--out DIR] [--json]" in page
    assert "--lang en|zh" in page


@drawn(st.lists(st.text(max_size=8), max_size=6))
def test_any_line_is_read_or_refused(arguments: list[str]) -> None:
    try:
        words, given = parse(COMMAND, arguments)
    except BadInput:
        pass
    else:
        assert all(word in arguments for word in words)
        assert given["--help"] or 1 <= len(words) <= 3
