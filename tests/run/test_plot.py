"""Pictures: round ticks that cover the data, means that thin it, files that are what they say, and the same in a terminal."""

from __future__ import annotations

import math
import statistics
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from danlu.errors import BadInput, Sentence, speak
from danlu.run import braille, fonts, plot
from danlu.run.curve import Line, number, svg, thin, ticks, wants_log
from danlu.run.log import Log

WORD = Sentence("step", "步")
values = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))


@given(values, values)
def test_ticks_cover_the_data_with_few_even_round_numbers(a, b):
    low, high = min(a, b), max(a, b)
    if high - low <= 1e-5:
        high = low
    marks = ticks(low, high)
    gap = marks[1] - marks[0]
    assert marks[0] <= low + gap * 1e-6 and marks[-1] >= high - gap * 1e-6
    assert 2 <= len(marks) <= 8
    assert all(math.isclose(y - x, gap, rel_tol=1e-6) for x, y in pairwise(marks))


@given(st.floats(1e-12, 1e9), st.floats(30, 1e12))
def test_logarithmic_ticks_cover_the_data(low, factor):
    marks = ticks(low, low * factor, log=True)
    assert marks == sorted(set(marks)) and 2 <= len(marks) <= 8
    assert low / 2.6 <= marks[0] <= low * 1.01 and low * factor * 0.99 <= marks[-1] <= low * factor * 2.6


@pytest.mark.parametrize(
    "value, text",
    [(0, "0"), (0.25, "0.25"), (1200, "1200"), (25000, "25k"), (3e6, "3M"), (1.5e-5, "1.5e-5"), (1e-4, "1e-4"), (-0.5, "-0.5")],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


def test_thinning_takes_means_and_keeps_the_end():
    line = thin(Line("x", range(1, 1001), [float(v) for v in range(1, 1001)]), 100)
    assert len(line.values) == 100 and line.values[0] == statistics.mean(range(1, 11)) and (line.steps[-1], line.values[-1]) == (1000, 1000)
    holes = thin(Line("x", range(400), [math.nan] * 200 + [1.0] * 200), 40)
    assert math.isnan(holes.values[0]) and holes.values[-1] == 1.0
    assert thin(Line("x", [], []), 10).values == []


def test_an_axis_is_logarithmic_when_it_shows_more():
    assert wants_log([0.1, 10]) and not wants_log([1, 10]) and not wants_log([0, 100]) and not wants_log([math.nan])


def test_a_gap_where_a_number_was_not_finite():
    picture = ET.fromstring(svg(WORD, [Line("loss", [1, 2, 3, 4, 5], [1, 2, math.nan, 2, 1])], WORD, mark=4, bad=[3]))
    path = next(e.get("d") for e in picture.iter() if e.get("class") == "line c0")
    assert path.count("M") == 2 and path.count("L") == 2
    assert {e.get("class") for e in picture.iter() if e.tag.endswith("path")} >= {"mark", "bad", "grid"}
    assert svg(WORD, [Line("loss", [1], [math.nan])], WORD) == "" == svg(WORD, [], WORD)


@pytest.fixture
def runs(tmp_path):
    for place, name in enumerate(("a", "刚玉")):
        (tmp_path / name).mkdir()
        metrics = Log(tmp_path / name / "metrics.jsonl")
        for step in range(1, 101):
            extra = {"val_loss": 2 / step, "val_accuracy": 1 - 1 / (step + place)} if step % 20 == 0 else {}
            metrics.add(step=step, loss=3.0 / step + place, lr=0.1, **extra)
        metrics.close()
    return [tmp_path / "a", tmp_path / "刚玉"]


def test_pictures_are_files_of_their_kind(runs, tmp_path):
    with Image.open(plot.plot(runs, out=tmp_path / "p.png")) as image:
        assert image.format == "PNG" and image.width > 1000
        assert len(image.convert("RGB").getcolors(1 << 24)) > 50
    tree = ET.parse(plot.plot(runs, ["val_accuracy", "lr"], tmp_path / "p.svg"))
    assert tree.getroot().tag.endswith("svg")
    assert (tmp_path / "p.svg").read_bytes() == plot.plot(runs, ["val_accuracy", "lr"], tmp_path / "again.svg").read_bytes()


@pytest.mark.filterwarnings("error")  # a glyph that no font has is a warning of matplotlib
@pytest.mark.parametrize("font", [True, False])
def test_chinese_with_and_without_a_font(runs, tmp_path, monkeypatch, font):
    told = []
    if not font:
        without_fonts(monkeypatch)
    speak("zh")
    try:
        plot.plot(runs, out=tmp_path / "p.png", tell=told.append)
    finally:
        speak(None)
    assert len(told) == (0 if font else 1) and (font or "字体" in told[0])


@pytest.mark.filterwarnings("error")
def test_chinese_names_in_english_without_a_font_are_said_once_and_are_no_error(runs, tmp_path, monkeypatch):
    without_fonts(monkeypatch)
    told = []
    plot.plot(runs, out=tmp_path / "p.png", tell=told.append)
    plot.plot(runs[:1], out=tmp_path / "p.png", tell=told.append)
    assert len(told) == 1 and "danlu[fonts]" in told[0]


def without_fonts(monkeypatch):
    """As on a machine where neither the system nor danlu[fonts] brings Chinese."""
    monkeypatch.setattr(fonts, "PACKAGED", "no_such_package")
    monkeypatch.setattr(fonts, "CJK", ())


def test_what_cannot_be_plotted_is_said(runs, tmp_path):
    with pytest.raises(BadInput, match=r"no run has logged `speed`; found: loss, lr, val_loss, val_accuracy"):
        plot.plot(runs, "speed", tmp_path / "p.png")
    with pytest.raises(BadInput, match=r"ends in \.png or \.svg"):
        plot.plot(runs, "loss", tmp_path / "p.pdf")
    with pytest.raises(BadInput, match="no run in"):
        plot.plot([tmp_path / "nowhere"], "loss", tmp_path / "p.png")
    with pytest.raises(BadInput, match="cannot write"):
        plot.plot(runs, "loss", tmp_path / "missing" / "p.png")
    (runs[0] / "metrics.jsonl").write_text("")
    with pytest.raises(BadInput, match="nothing has been logged"):
        plot.plot(runs[:1], out=tmp_path / "p.png")


def test_the_terminal_shows_where_the_values_are(runs):
    rising = braille.draw("up", [Line("up", [0, 10], [0, 1])], 40, 10).splitlines()
    body = [line.split("┤")[-1].split("│")[-1] for line in rising[1:11]]
    assert body[0].strip() and len(body[0]) - len(body[0].lstrip()) > 25 and body[-1].startswith(("⠠", "⡠", "⣀", "⡀", "⢀"))
    text = plot.plot_terminal(runs, "loss", width=60, height=8)
    assert max(map(len, text.splitlines())) <= 60 and text.count("\n") == 12 and "b 刚玉" in text and "\x1b" not in text
    assert "\x1b[31m" in plot.plot_terminal(runs, "loss", color=True)
    assert braille.draw("none", [Line("x", [1], [math.nan])]) == "none"
