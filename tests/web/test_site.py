"""The site is made of what is there, in both languages, and a blank or a missing picture stops it."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from danlu import find, messages
from danlu.errors import BadInput
from danlu.learn import shelf
from danlu.learn.prose import half_width

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "docs" / "site"


@pytest.fixture
def pages(monkeypatch):
    monkeypatch.syspath_prepend(str(SITE))
    sys.modules.pop("pages", None)
    import pages

    return pages


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_lesson_and_every_name_has_its_place(pages, language):
    made = pages.Site(language).pages()
    assert {f"lessons/{folder.name}" for folder in shelf.folders().values()} <= set(made)
    for found in find.catalogue(others=False):
        page = made[f"techniques/{found.name}"] if found.kind == "technique" else made[f"names/{found.kind}"]
        section = re.search(rf"^##? {found.name}$(.*?)(?=^##? |\Z)", page, re.M | re.S)
        assert section, found.name
        cells = re.findall(r"^\| `\w+` \| .*? \| (.*) \|$", section[1], re.M)
        assert len(cells) == len(found.fields), found.name
        assert all(any("\u4e00" <= letter <= "\u9fff" for letter in cell) == (language == "zh") for cell in cells), found.name
    assert not any(
        re.search(r"\{(measured|set|claim|quiz|code|figure)\}`", text) for name, text in made.items() if name.startswith("lessons/")
    )
    assert ("成立" in made["lessons/03_learning_rate"]) == (language == "zh")
    assert "lessons/03_learning_rate.md" in made["names/optimizer"]  # evidence of SGD
    assert not any(marker in text for text in made.values() for marker in messages.IN_ENGLISH), "a docstring without Chinese paragraphs"
    assert ("后者为英文" in made["api"]) == ("如何编写课程" in made["writing"]) == (language == "zh")


def test_how_to_write_a_lesson_is_the_same_in_both_languages():
    """Section by section: the code, the rows of tables, the steps and the figures."""
    outlines = []
    for name in ("lessons.md", "lessons.zh.md"):
        sections = re.split(r"^## ", (ROOT / "docs" / name).read_text("utf-8"), flags=re.M)
        code = [sorted(re.findall(r"`` (.*?) ``|`([^`]+)`", section)) for section in sections]
        bare = [re.sub(r"``.*?``|`[^`]*`", "", section) for section in sections]
        figures = [sorted(re.findall(r"\d+(?:\.\d+)?(?![.\d])", section)) for section in bare]
        outlines.append([code, figures, [section.count("\n|") for section in sections]])
        assert name == "lessons.md" or [half_width(section) for section in sections] == [[]] * len(sections)
    assert outlines[0] == outlines[1]


def test_coverage_has_every_row_and_counts_what_it_links(pages):
    page = pages.Site("en").pages()["coverage"]
    rows = re.findall(r"^\| (\d+\.\d+) .*$", page, re.M)
    assert len(rows) == len(set(rows)) == 86
    assert re.search(r"^\| 1\.5 optimisers \|.*\[sgd\].*\[03\].*tests/optim/test_first_order\.py", page, re.M)
    lines = [line for line in page.splitlines() if re.match(r"\| \d+\.\d+ ", line)]
    with_lessons = sum("lessons/" in line for line in lines)
    assert f"{with_lessons} have a lesson" in page


def test_a_blank_value_stops_it(pages, monkeypatch, tmp_path):
    home = tmp_path / "lessons"
    import shutil

    shutil.copytree(shelf.home(), home)
    path = home / "03_learning_rate" / "results.json"
    data = json.loads(path.read_text("utf-8"))
    data["values"]["start.sharpness"] |= {"values": [None] * 5, "mean": None, "deviation": None, "low": None, "high": None}
    path.write_text(json.dumps(data), "utf-8")
    monkeypatch.setattr(shelf, "home", lambda: home)
    with pytest.raises(BadInput, match=r"start\.sharpness"):
        pages.Site("en").pages()


def test_a_card_shows_what_was_measured_and_says_what_was_not(pages):
    site = pages.Site("en")
    recorded = json.loads((ROOT / "bench" / "cards.json").read_text("utf-8"))["values"]
    clip = next(found for found in site.names if found.name == "clip")
    card = site.card(clip, 1)
    gain, took = recorded["technique.clip.gain"], recorded["technique.clip.time"]
    assert f"{100 * gain['mean']:+.2f} points, 95 % interval {100 * gain['low']:+.2f} to {100 * gain['high']:+.2f}, n = 5 seeds" in card
    assert f"{took['mean']:.2f}, 95 % interval {took['low']:.2f} to {took['high']:.2f}" in card
    assert "is refused" in card or "refused beside" in card
    for heading in (
        "What it does",
        "Formula",
        "When it helps",
        "What it costs",
        "When not to use it",
        "Failure signals",
        "Interactions",
        "Evidence",
    ):
        assert f"**{heading}**" in card
    assert "Not measured yet." in site.card(dataclasses.replace(clip, name="clop"), 1)  # a new one, before anybody has run the bench
    site.measured.results.tables["refused"].append({"outer": "clip", "inner": "ema", "en": "too many cooks", "zh": "人多手杂"})
    assert "refused beside `ema`" in site.card(clip, 1)
    assert "too many cooks" in site.card(clip, 1)


def test_a_card_without_a_part_or_with_a_blank_figure_stops_it(pages, monkeypatch, tmp_path):
    site = pages.Site("zh")
    clip = next(found for found in site.names if found.name == "clip")
    bare = tmp_path / "clip.py"
    bare.write_text(Path(clip.path).read_text("utf-8").replace("Failure signals:", "Signals:"), "utf-8")
    with pytest.raises(BadInput, match="Failure signals"):
        site.card(dataclasses.replace(clip, path=str(bare)), 1)
    value = site.measured.results.values["technique.clip.gain"]
    monkeypatch.setitem(site.measured.results.values, "technique.clip.gain", dataclasses.replace(value, mean=None))
    with pytest.raises(BadInput, match=r"technique\.clip\.gain"):
        site.card(clip, 1)


@pytest.mark.slow
def test_a_missing_picture_stops_it(pages, monkeypatch, tmp_path):
    import shutil

    home = tmp_path / "lessons"
    shutil.copytree(shelf.home(), home)
    (home / "03_learning_rate" / "window.zh.svg").unlink()
    monkeypatch.setattr(shelf, "home", lambda: home)
    pages.Site("en").pages()
    with pytest.raises(BadInput, match=r"window\.zh\.svg"):
        pages.Site("zh").pages()


def test_chinese_is_searched_by_pairs(monkeypatch):
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(str(SITE))
    from chinese import pairs

    assert pairs("学习率 lr=0.1，曲率！") == ["学习", "习率", "lr", "0", "1", "曲率"]
    assert set(pairs("习率")) <= set(pairs("学习率"))
    assert pairs("。！") == []


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if (tag, name) in {("a", "href"), ("img", "src"), ("script", "src"), ("link", "href")} and value:
                self.found.append(value)


@pytest.mark.slow
def test_it_builds_without_a_warning_and_no_link_leads_nowhere(tmp_path):
    for module in ("sphinx", "myst_parser", "furo", "latex2mathml"):
        pytest.importorskip(module)
    done = subprocess.run([sys.executable, str(SITE / "build.py"), str(tmp_path / "site")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    built = sorted((tmp_path / "site").rglob("*.html"))
    assert len(built) > 50
    nowhere = []
    for page in built:
        links = Links()
        links.feed(page.read_text("utf-8"))
        for link in links.found:
            path = link.partition("#")[0].partition("?")[0]
            if path and not re.match(r"[a-z]+:", path) and not (page.parent / path).exists():
                nowhere.append((page.name, link))
            assert not re.match(r"(https?:)?//", link) or link.startswith("https://"), link
    assert nowhere == []
    zh = (tmp_path / "site" / "zh" / "lessons" / "03_learning_rate.html").read_text("utf-8")
    assert "<math" in zh
    assert "window.zh.svg" in zh
    assert "ChineseStemmer" not in (tmp_path / "site" / "zh" / "_static" / "language_data.js").read_text("utf-8")
