"""What may not stand in the words of a lesson: figures that no run vouches for, and half-width marks in Chinese.

A digit in prose is either a result, and then it comes through `{measured}`; or a setting of the code, and then through `{set}`; or it
belongs to a name (fp16), a formula ($...$), code (`...`), a link, or a citation's year in parentheses: those may stand.
"""

from __future__ import annotations

import re

from danlu.errors import Sentence
from danlu.learn.text import ROLE, without_code

_WORK = r"[^()（）;；\d]*\b(19|20)\d\d[a-z]?(, (19|20)\d\d[a-z]?)*[^()（）;；\d]*"
_KEPT = (
    re.compile(r"\$\$.*?\$\$", re.S),
    re.compile(r"\$[^$\n]+\$"),
    ROLE,
    re.compile(r"`[^`]*`"),
    re.compile(r"(?<=\])\([^)\s]*\)"),  # where a link goes
    re.compile(r"<https?://[^>]*>"),
    re.compile(r"^ *\d+\. ", re.M),  # a numbered list
    re.compile(rf"[(（]{_WORK}([;；]{_WORK})*[)）]"),  # (He et al. 2015; Cohen et al. 2021)
    re.compile(r"\b[A-Za-z][A-Za-z_-]*\d+[A-Za-z]*\b"),  # fp16, L2, CS231n
)
_PERCENT = re.compile(r"\b(?:percent|per cent)\b|百分之")
_HAN = r"[\u4e00-\u9fff]"
_HALF = re.compile(rf"(?<={_HAN})[,;:!?]|[,;:!?](?={_HAN})|(?<={_HAN})\.(?=\s|$)|(?<={_HAN})\(|\((?={_HAN})")


def bare(body: str) -> str:
    """The prose alone: code, formulas, roles, links and citations blanked, places kept."""
    body = without_code(body)
    for pattern in _KEPT:
        body = pattern.sub(lambda found: re.sub(r"[^\n]", "\0", found[0]), body)
    return body


def bare_numbers(body: str) -> list[tuple[int, str]]:
    """(line from 0, what) of each number in the prose that nothing vouches for."""
    plain = bare(body)
    found = [(match.start(), match[0]) for match in re.finditer(r"[0-9０-９][0-9０-９.,]*\s*%?", plain)]
    found += [(match.start(), match[0]) for match in _PERCENT.finditer(plain)]
    return [(plain.count("\n", 0, start), what.strip()) for start, what in sorted(found)]


def half_width(body: str) -> list[tuple[int, str]]:
    """(line from 0, mark with its neighbours) of each half-width mark beside a Chinese character."""
    plain = bare(body)
    near = ((match.start(), plain[max(match.start() - 3, 0) : match.end() + 3]) for match in _HALF.finditer(plain))
    return [(plain.count("\n", 0, start), around.replace("\0", "").replace("\n", " ")) for start, around in near]


def sentences(said: Sentence) -> list[str]:
    """What is wrong with a short text in both languages (a title, a hint, a choice is free to have digits; its marks are not)."""
    found = [around for _, around in half_width(said.zh)]
    return found if any("\u4e00" <= letter <= "\u9fff" for letter in said.zh) else [*found, said.zh]
