"""A first look finds what was planted in the data, writes nothing, and its suggestion trains."""

import json
import random
import shlex

import numpy as np
import pytest
from PIL import Image

from danlu.cli.main import main


def look(capsys, *words, code=0):
    assert main(["look", *map(str, words), "--json", "--lang", "en"]) == code
    answer = capsys.readouterr()
    return json.loads(answer.out) if code == 0 else answer.err


@pytest.fixture
def table(tmp_path):
    draw = random.Random(0)
    lines = ["id,city,size,nothing,same,code,when,sold"]
    for row in range(120):
        size = "" if row % 10 == 0 else f"{draw.random():.3f}"
        lines.append(f"{row},{draw.choice(['北京', 'Berlin'])},{size},,x,name{row},2024-03-{row % 28 + 1:02},{'yes' if row % 20 else 'no'}")
    path = tmp_path / "数据.csv"
    path.write_text("\n".join([*lines, lines[5]]), "gb18030")
    return path


def test_table(table, capsys):
    found = look(capsys, f"data.path={table}")
    kinds = {column["name"]: column["kind"] for column in found["columns"]}
    assert list(kinds.values()) == ["numeric", "categorical", "numeric", "empty", "constant", "identifier", "date", "categorical"]
    assert found["rows"] == 121 and found["repeated"] == 1
    assert next(column for column in found["columns"] if column["name"] == "size")["missing"] == 12
    assert found["target"] == "sold" and found["target_guessed"] and found["classes"] == {"yes": 115, "no": 6}
    said = "\n".join(found["notes"])
    assert "a guess" in said and "AUROC" in said and "1 classes have fewer than 10 rows" in said and "code" in said
    words = shlex.split(found["suggest"])
    assert words[:3] == ["danlu", "train", "tabular"]
    assert main([*words[1:], "steps=3", "batch_size=16", "device=cpu", "--out", str(table.parent / "run"), "--quiet"]) == 0


def test_leaks_and_copies(tmp_path, capsys):
    rows = [f"{row},{row % 3},{'abc'[row % 3]}" for row in range(60)]
    (tmp_path / "a.csv").write_text("x,copy,label\n" + "\n".join(rows))
    (tmp_path / "b.csv").write_text("x,copy,label\n" + "\n".join(rows[:7]))
    found = look(capsys, tmp_path / "a.csv", f"data.test_path={tmp_path / 'b.csv'}")
    assert found["shared"] == {"train, test": 7} and found["parts"] == {"train": 60, "test": 7}
    (tmp_path / "c.csv").write_text("5.1,3.5\n4.9,3.0\n4.7,3.2\n")
    assert "may be a row" in "\n".join(look(capsys, tmp_path / "c.csv")["notes"])


def test_texts(tmp_path, capsys):
    rows = [f"this is what was said by person number {row},{'pos' if row % 2 else 'neg'}" for row in range(80)]
    (tmp_path / "a.csv").write_text("review,sentiment\n" + "\n".join(rows))
    found = look(capsys, tmp_path / "a.csv")
    assert found["suggest"].startswith("danlu train classify-text ") and "data.text=review data.target=sentiment" in found["suggest"]
    lengths = [len(row.rpartition(",")[0]) for row in rows]
    said = f"{round(sum(lengths) / 80)} characters on average, {max(lengths)} at most"
    assert any(said in note for note in found["notes"])


def test_images(tmp_path, capsys):
    draw = np.random.default_rng(0)
    for label in ("猫", "狗"):
        (tmp_path / "a" / label).mkdir(parents=True)
        for number in range(11):
            Image.fromarray(draw.integers(0, 255, (20 + number, 30, 3), dtype=np.uint8)).save(tmp_path / "a" / label / f"{number}.png")
    whole = (tmp_path / "a" / "猫" / "0.png").read_bytes()
    (tmp_path / "a" / "狗" / "copy.png").write_bytes(whole)
    (tmp_path / "a" / "狗" / "cut.png").write_bytes(whole[: len(whole) // 2])
    found = look(capsys, f"data.path={tmp_path / 'a'}", "--out", tmp_path / "sheet")
    assert found["images"] == 24 and found["classes"]["train"] == {"狗": 12, "猫": 11}
    assert [bad["path"] for bad in found["unreadable"]] == [str(tmp_path / "a" / "狗" / "cut.png")]
    said = "\n".join(found["notes"])
    assert "30x20 at least" in said and "1 images are there under more than one class" in said
    assert (tmp_path / "sheet" / "examples.png").is_file() and found["suggest"].startswith("danlu train images ")


def test_text_and_dialogues(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("one line.\n" * 400)
    found = look(capsys, tmp_path / "*.txt")
    assert found["characters"] == 4000 and found["lines"] == 400 and found["suggest"].startswith("danlu train text ")
    (tmp_path / "a.txt").write_text("short")
    assert look(capsys, tmp_path / "a.txt")["suggest"] == ""
    records = [{"instruction": "add", "input": "1 1", "output": "2"}, {"instruction": "say", "output": "hi"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)) + "\nnonsense\n")
    found = look(capsys, tmp_path / "a.jsonl")
    assert (found["records"], found["form"], found["broken_lines"]) == (2, "alpaca", [3]) and not found["suggest"]
    (tmp_path / "b.json").write_text(json.dumps([{"messages": [{"role": "user", "content": "hi"}]}]))
    assert look(capsys, tmp_path / "b.json")["form"] == "messages"


@pytest.mark.parametrize(("language", "word"), [("en", "to train:"), ("zh", "训练命令：")])
def test_screen(table, capsys, language, word, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    assert main(["look", f"data.path={table}", "--lang", language]) == 0
    out = capsys.readouterr().out
    assert word in out
    from danlu.cli.text import width

    assert max(width(line) for line in out.splitlines() if line.startswith("  ") and "danlu train" not in line) <= 70


def test_refused(tmp_path, capsys):
    assert "no" in look(capsys, tmp_path / "none.csv", code=2)
    assert "data.colour=x" in look(capsys, "a.csv", "data.colour=x", code=2)
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert "`c`" in look(capsys, tmp_path / "a.csv", "data.target=c", code=2)
