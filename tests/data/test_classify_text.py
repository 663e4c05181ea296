"""Own labelled texts: a dictionary of tokens as oracle, a split that does not move, and tables that are refused."""

import csv
import json
import random
import re
from collections import Counter

import pytest
import torch

from danlu.data.classify_text import ClassifyText, encode, read_rows
from danlu.errors import BadInput

WORDS = ["good", "bad", "fine", "awful", "great", "poor", "nice", "ugly", "fast", "slow", "loud", "calm"]


def table(path, rows, header=("review", "label"), delimiter=",", encoding="utf-8"):
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return str(path)


def reviews(count=120, seed=0, classes=("pos", "neg")):
    draw = random.Random(seed)
    return [(f"{' '.join(draw.choices(WORDS, k=draw.randint(2, 9)))} n{seed}x{row}.", classes[row % len(classes)]) for row in range(count)]


def asked(path, **fields):
    return ClassifyText(path=path, text="review", target="label", **fields)


def said(data):
    return " | ".join(note["en"] for note in data.preprocess["notes"])


def part_of(data, rows):
    """{text: part}, by the tokens that the form gives each text; needs texts that no two share."""
    tokens = {tuple(encode(data.preprocess, [text])[0].tolist()): text for text, _ in rows}
    return {tokens[tuple(row)]: name for name in ("train", "val", "test") for row in getattr(data, name).content()[0].tolist()}


def test_tokens_are_those_of_the_train_words(tmp_path):
    rows = reviews()
    data = asked(table(tmp_path / "评论.csv", rows), level="words")()
    assert data.facts.labels == ("neg", "pos") and data.facts.padding == 0 and data.preprocess["column"] == "review"
    parts = {}
    texts, targets, names = read_rows(data.preprocess, tmp_path / "评论.csv")
    assert list(zip(texts, (data.facts.labels[t] for t in targets))) == rows and names[0] == "1"
    x = encode(data.preprocess, texts)
    where = {
        (tuple(row), int(y)): name
        for name in ("train", "val", "test")
        for row, y in zip(*map(torch.Tensor.tolist, getattr(data, name).content()))
    }
    for text, row, y in zip(texts, x.tolist(), targets.tolist()):
        parts[text] = where[tuple(row), y]
    assert Counter(parts.values()).keys() == {"train", "val", "test"}
    known = data.preprocess["tokenizer"]["words"]
    split = [re.findall(r"\w+|[^\w\s]", text.lower()) for text in texts]
    for words, row in zip(split, x.tolist()):
        ids = [known.index(word) + 2 if word in known else 1 for word in words][: len(row)]
        assert row == ids + [0] * (len(row) - len(ids))


def test_nothing_of_val_and_test_is_in_the_tokenizer(tmp_path):
    rows = [(f"{chr(0x4E00 + row)}好坏中文评论", "甲" if row % 2 else "乙") for row in range(200)]
    path = table(tmp_path / "a.csv", rows, encoding="gb18030")
    data = asked(path)()
    tokenizer = data.preprocess["tokenizer"]
    assert tokenizer["kind"] == "characters" and data.facts.labels == ("乙", "甲")
    assert sum(text[0] in tokenizer["characters"] for text, _ in rows) == len(data.train)


def test_adding_sorting_and_removing_moves_no_other_row(tmp_path):
    rows = reviews(200)
    before = part_of(asked(table(tmp_path / "a.csv", rows), level="bpe", length=99)(), rows)
    changed = sorted(rows[17:], reverse=True) + reviews(50, seed=1)
    after = part_of(asked(table(tmp_path / "b.tsv", changed, delimiter="\t"), level="bpe", length=99)(), changed)
    assert set(before.values()) == {"train", "val", "test"}
    assert all(after[text] == before[text] for text, _ in rows[17:])


def test_groups_and_splits_that_are_given(tmp_path):
    rows = [(text, label, f"g{row % 40}", ("train", "dev", "test", "train")[row % 4]) for row, (text, label) in enumerate(reviews(160))]
    path = table(tmp_path / "a.csv", rows, ("review", "label", "author", "part"))
    data = asked(path, split="part")()
    assert [len(getattr(data, name)) for name in ("train", "val", "test")] == [80, 40, 40]
    parts = part_of(asked(path, group="author", level="bpe", length=99)(), reviews(160))
    seen = {}
    for text, _, author, _ in rows:
        assert seen.setdefault(author, parts[text]) == parts[text]
    other = table(tmp_path / "v.csv", reviews(10, seed=2))
    assert len(asked(path, val_path=other, test_path=other)().val) == 10
    assert "figures will look too good" in said(asked(path, val_path=other, test_path=other)())


def test_what_is_said(tmp_path):
    rows = [*reviews(40), ("", "pos"), ("no label", ""), ("rare one", "rare"), reviews(1)[0], (reviews(1)[0][0], "neg")]
    data = asked(table(tmp_path / "a.csv", rows))()
    for words in ("2 rows without `review` or `label`", "class `rare` has no validation row (1 in train)", "3 classes: neg, pos, rare"):
        assert words in said(data)
    assert "1 texts are there before with another label" in said(data)
    assert all(set(note) == {"en", "zh"} for note in data.preprocess["notes"])


def test_length_covers_most_train_texts(tmp_path):
    rows = [(" ".join(["word"] * (row % 20 + 1)) + f" {row}", "ab"[row % 2]) for row in range(400)]
    assert asked(table(tmp_path / "a.csv", rows), level="words")().facts.shape[0] in (20, 21)
    assert asked(table(tmp_path / "b.csv", [(text * 100, label) for text, label in rows]))().facts.shape == (128,)
    assert asked(str(tmp_path / "a.csv"), length=5)().facts.shape == (5,)


def test_refusals(tmp_path):
    path = table(tmp_path / "a.csv", reviews(20))

    def refused(words, **fields):
        with pytest.raises(BadInput) as caught:
            ClassifyText(**fields)()
        assert words in str(caught.value)

    refused("danlu train classify-text data.path=reviews.csv")
    refused("data.text=NAME", path=path)
    refused("no column `body` (data.text); it has review, label", path=path, text="body", target="label")
    refused("both data.text and data.target", path=path, text="label", target="label")
    refused("one value only", path=table(tmp_path / "one.csv", reviews(9, classes=("a",))), text="review", target="label")
    refused("no row has both", path=table(tmp_path / "none.csv", [("", "a"), ("b", "")]), text="review", target="label")
    refused("`new` is none of the classes", path=path, text="review", target="label", val_path=table(tmp_path / "v.csv", [("x", "new")]))
    (tmp_path / "empty.csv").write_bytes(b"")
    refused("is empty", path=str(tmp_path / "empty.csv"), text="review", target="label")
    for name, record in {
        "alpaca": {"instruction": "a", "input": "", "output": "b"},
        "messages": {"messages": [{"role": "user", "content": "a"}]},
    }.items():
        (tmp_path / "d.jsonl").write_text(json.dumps(record) + "\n", "utf-8")
        refused(f"dialogues in {name} form", path=str(tmp_path / "d.jsonl"), text="review", target="label")
    with pytest.raises(BadInput, match="`new` is none"):
        read_rows(asked(path)().preprocess, tmp_path / "v.csv")


def test_the_form_of_banking77(shared):
    from danlu.data.banking77 import Banking77

    data = Banking77()()
    texts, targets, _ = read_rows(data.preprocess, shared / "banking77" / "test.csv")
    x, y = data.test.content()
    assert torch.equal(encode(data.preprocess, texts), x) and torch.equal(targets, y)
