"""R21: ugly text is decoded by the declared policy, or refused with file, line and byte; nothing crashes, and a line of 50 MB takes < 1 GB.

The policy (`data.read_text`): UTF-8 with or without a mark, UTF-16 with one, else GB18030, else refused; a zero byte is refused; lines end
in a line feed; files without text are left out and named in a note.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from danlu.data.text import decoded
from danlu.data.text_files import TextFiles
from exam.files import error, inside, measured, unclear
from exam.harness import settle, size

WORDS = [
    "the",
    "furnace",
    "is",
    "lit",
    "and",
    "what",
    "goes",
    "in",
    "comes",
    "out",
    "as",
    "something",
    "else",
    "so",
    "they",
    "say",
    "of",
    "every",
    "pill",
    "and",
    "every",
    "model",
]
HAN = "丹炉之中火候为先炼丹之人不可不察也天地玄黄宇宙洪荒"
LINE = 50_000_000


def prose(seed: int, sentences: int = 400) -> str:
    draw = random.Random(seed)
    lines = [" ".join(draw.choices(WORDS, k=9)) + "." if n % 3 else "".join(draw.choices(HAN, k=12)) + "。" for n in range(sentences)]
    return "\n".join(lines) + "\n"


def all_of(path: Path) -> str:
    """Every character that the data of a file holds, sorted: passages go to three parts."""
    data = TextFiles(path=str(path), level="characters", length=32)()
    kept = [decoded(data.preprocess, rows.tokens) for rows in (data.train, data.val, data.test) if rows is not None]
    return "".join(sorted("".join(kept).replace("\n", "")))


@pytest.mark.slow
def test_decoded(tmp_path: Path) -> None:
    text = prose(1)
    same = {
        "mark": text.encode("utf-8-sig"),
        "utf-16-le": b"\xff\xfe" + text.encode("utf-16-le"),
        "utf-16-be": b"\xfe\xff" + text.encode("utf-16-be"),
        "gb18030": text.encode("gb18030"),
        "crlf": text.replace("\n", "\r\n").encode(),
        "cr": text.replace("\n", "\r").encode(),
        "mixed": text.replace(".\n", ".\r\n").encode(),
        "empty lines": text.replace("\n", "\n\n\n").encode(),
        "no last line feed": text.rstrip("\n").encode(),
    }
    others = {
        "controls": text.replace("furnace", "\x01\x07\x1b[31m\x7f").encode(),
        "emoji and joiners": text.replace("pill", "👨‍👩‍👧‍👦 e\u0301 \u202e").encode(),
        "private and unassigned": text.replace("pill", "\ue000 \U0010ffff \ufffe").encode(),
        "separators": text.replace("pill", "\u2028\u2029\x0b\x0c\x85").encode(),
        "mark inside": text.replace("pill", "\ufeff").encode(),
        "replacement": text.replace("pill", "\ufffd").encode(),
    }
    failures = []
    plain = "".join(sorted(text.replace("\n", "")))
    for name, raw in {**same, **others}.items():
        path = tmp_path / "a.txt"
        path.write_bytes(raw)
        expected = plain if name in same else "".join(sorted(raw.decode().replace("\n", "")))
        found = all_of(path)
        if name in same and found != expected:
            failures.append(f"{name}: other characters")
        elif name in others:  # a character of a passage that is not in train is unknown there
            lost = sum(a != b for a, b in zip(sorted(found), sorted(expected)))
            if len(found) != len(expected) or (lost and "\ufffd" not in found):
                failures.append(f"{name}: {len(found)} of {len(expected)} characters")
    settle("R21", len(same) + len(others), failures)


@pytest.mark.slow
def test_refused(tmp_path: Path) -> None:
    """With file, line and, but for zero bytes, the byte."""
    text, failures, draw = prose(2).encode(), [], random.Random(21)
    rows = text.split(b"\n")
    wrong: list[tuple[bytes, str]] = [(b"\0", "zero byte"), (b"\xff", "0xff"), (b"\xff\xff\xff", "0xff"), (b"\x81\x20", "0x81")]
    wrong += [(b"\xed\xa0\x80 ", ""), (b"\xed\xb0\x80 ", ""), (b"\xc0\xaf ", ""), (b"\xf8\x88\x80\x80\x80 ", "")]  # half a pair, overlong
    trials = size(16, 200)
    for number in range(trials):
        bad, said = wrong[number % len(wrong)]
        at = draw.randrange(1, len(rows) - 1)
        broken = [*rows[:at], bad + rows[at], *rows[at + 1 :]]
        raw = b"\n".join(broken)
        (tmp_path / "a.txt").write_bytes(raw)
        ended = inside("train", "text", "data.path=a.txt", "steps=1", "--out", "run", "--json", cwd=tmp_path)
        line = f"line {at + 1}" if said else ", line "
        if problem := unclear(ended, "a.txt", line, said):
            failures.append(f"{bad!r}: {problem}")
        elif not error(ended) or (tmp_path / "run").exists():
            failures.append(f"{bad!r}: {ended.text[-200:]}")
    settle("R21", trials, failures)


@pytest.mark.slow
def test_counted(tmp_path: Path) -> None:
    """Files without text are left out, and said to be."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(prose(3), "utf-8")
    for number, empty in enumerate((b"", b"\n\n\n", b" \t\r\n", b"\xef\xbb\xbf")):
        (tmp_path / "texts" / f"empty{number}.txt").write_bytes(empty)
    notes = json.dumps(TextFiles(path=str(tmp_path / "texts"), length=32)().preprocess["notes"])
    failures = [f"empty{number}.txt is not named" for number in range(4) if f"empty{number}.txt" not in notes]
    settle("R21", 4, failures)


READ = """
import random, sys
from danlu.data.text_files import TextFiles
from danlu.errors import BadInput
try:
    print(len(TextFiles(path="a.txt", level=sys.argv[1], length=64)().train), "rows")
except BadInput as trouble:
    print("refused:", trouble)
"""


@pytest.mark.slow
def test_one_long_line(tmp_path: Path) -> None:
    draw, failures, figures = random.Random(5), [], {}
    made = size(LINE // 10, LINE)
    known = ["".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(20_000)]
    lines = {"words": " ".join(draw.choices(known, k=made // 6))[:made], "one letter": "x" * made, "one word": ("furnace " * (made // 8))}
    for name, line in lines.items():
        (tmp_path / "a.txt").write_text(line)
        for level in size(("characters",), ("characters", "bpe")):
            found = measured("-c", READ, level, cwd=tmp_path)
            said = found.text.strip().rpartition("\n")[2]
            figures[f"MB_{name}_{level}".replace(" ", "_")] = found.memory / 1e6
            right = said.endswith("rows") if name == "words" else "same passage" in said
            if found.code or found.memory > 1e9 or not right:
                failures.append(f"{name}, {level}: exit code {found.code}, {found.memory / 1e6:.0f} MB: {said[-300:]}")
    settle("R21", len(figures), failures, line_MB=made / 1e6, **figures)
