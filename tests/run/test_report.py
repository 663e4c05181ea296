"""The page: one file that needs nothing else, runs no script, and shows hostile text as text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from danlu.errors import BadInput, speak
from danlu.run import log, report

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "' onmouseover='alert(1)", "</title><b>",
    "</style><script>x</script>", "javascript:alert(1)", "&lt;script&gt;", "{{7*7}}", "\u202egnp.exe", "]]><x>", "<!--", "\u0000<i>",
]  # fmt: skip
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "input", "div", "label", "main", "header", "h1", "h2", "p", "span", "section", "b",
    "figure", "figcaption", "svg", "path", "text", "tspan", "circle", "pre", "table", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "type", "id", "checked", "for", "viewbox", "role", "d", "x", "y", "cx",
    "cy", "r", "dy",
}  # fmt: skip


class Page(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.add(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag not in ("meta", "input", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag != "path":
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def a_run(folder, word="digits", steps=300, done=True):
    folder.mkdir()
    record = {
        "name": word,
        "created": "2026-11-23T10:00:00+00:00",
        "seed": 0,
        "steps": steps,
        "parameters": 1234567,
        "data": {
            "fingerprint": word,
            "rows": {"train": 10, "val": None, "test": 3},
            "facts": {"task": word, "shape": [3, 4], "labels": [word]},
        },
        "attempts": [
            {"host": word, "command": [word], "code": {word: {"commit": word, "changed": True}}, "packages": {"torch": word}, "cpu": word}
        ],
    }
    (folder / "record.json").write_text(json.dumps(record))
    (folder / "recipe.json").write_text(json.dumps({"model": {word: {word: [word, 1.5]}}, "techniques": [word]}))
    metrics, events = log.Log(folder / "metrics.jsonl"), log.Events(folder / "events.jsonl")
    events.tell("start", 0)
    for step in range(1, steps + 1):
        extra = {"val_loss": 2 / step, f"val_{word}": step / steps, word: 1.0} if step % 50 == 0 else {}
        metrics.add(step=step, epoch=step / 50, loss=float("nan") if step == 7 else 3 / step, lr=0.1 / step, seconds=step * 2.0, **extra)
    events.tell("nonfinite", 7)
    events.tell(word, 9, reason=word)
    if done:
        events.tell("done", steps, best_step=250, weights="raw", metrics={f"test_{word}": 0.987654})
    else:
        events.tell("failed", steps, reason=word)
    metrics.close()
    events.close()
    return folder


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("done", [True, False])
def test_hostile_text_stays_text(tmp_path, word, done):
    page = Page(report.html(a_run(tmp_path / "run", word, steps=60, done=done)))
    assert page.found <= ELEMENTS and page.attributes <= ATTRIBUTES and page.open == []
    assert sum(word in text for text in page.text) >= 5 or "\0" in word


def test_a_hostile_folder_name(tmp_path):
    text = report.html(a_run(tmp_path / "<script>alert(1)<b>"))
    assert Page(text).found <= ELEMENTS and "<script" not in text


def test_nothing_comes_from_outside_and_no_script_may_run(tmp_path):
    text = report.html(a_run(tmp_path / "run"))
    assert not re.search(r"https?:|//[a-z]|url\(|@import|<script|<link|<iframe|\son\w+=|\sstyle=|javascript:", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_both_languages_are_there_and_one_is_chosen(tmp_path):
    folder = a_run(tmp_path / "run")
    for lang in ("en", "zh"):
        speak(lang)
        try:
            text = report.html(folder)
        finally:
            speak(None)
        assert f'id="{lang}" checked' in text and text.count(" checked>") == 1
        assert "Learning rate" in text and "学习率" in text
        assert text.count('lang="en">') - text.count('lang="zh">') in (1, -1)  # as many texts of each, and the page's own


def test_it_says_what_came_out(tmp_path):
    told = " ".join(Page(report.html(a_run(tmp_path / "run"))).text)
    for fact in (
        "0.9877",
        "test_digits",
        "finished",
        "250",
        "10:00",
        "1.235M",
        "3 × 4",
        "10 / – / 3",
        "danlu resume",
        "steps skipped",
        "Red:",
    ):
        assert fact in told, fact


def test_a_run_in_its_first_moments(tmp_path):
    folder = a_run(tmp_path / "run", steps=0, done=False)
    (folder / "metrics.jsonl").unlink()
    (folder / "events.jsonl").unlink()
    told = " ".join(Page(report.write(folder).read_text()).text)
    assert "not finished" in told and "No step has been logged yet" in told
    with pytest.raises(BadInput, match="no run in"):
        report.write(tmp_path)


def test_a_long_run_stays_a_small_page(tmp_path):
    assert len(report.html(a_run(tmp_path / "run", steps=20000))) < 80_000
