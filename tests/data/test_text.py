"""Windows over a text: shifted targets, offsets that move in train alone, nothing outside the text."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from danlu.data.stdlib_code import documents
from danlu.data.text import Windows, decoded, language_data
from danlu.errors import BadInput

TEXTS = {"train": ["abcdefgh " * 60], "val": ["hgfedcba " * 12], "test": ["abc? " * 20]}


def data(level="characters", **fields):
    return language_data("tiny", TEXTS, level, 300, **{"length": 16, "workers": 0, **fields})


@given(st.integers(0, 300), st.integers(1, 40), st.booleans(), st.integers(0, 9))
def test_windows_lie_in_the_text_and_targets_follow(tokens, length, move, draw):
    rows = Windows(torch.arange(tokens).to(torch.uint16), length, move)
    inputs, targets = rows.fetch(torch.arange(len(rows)), draw)
    assert inputs.shape == targets.shape == (len(rows), length)
    assert torch.equal(targets, inputs + 1)
    assert torch.equal(inputs.flatten(), torch.arange(inputs.numel()) + (int(inputs[0, 0]) if len(rows) else 0))  # gapless, disjoint
    if not move:
        assert len(rows) == max(0, (tokens - 1) // length)


def test_windows_move_between_epochs_in_train_alone():
    made = data()
    ids = torch.arange(2)
    starts = {
        split: {tuple(getattr(made, split).fetch(ids, epoch)[0][0].tolist()) for epoch in range(9)} for split in ("train", "val", "test")
    }
    assert len(starts["train"]) > 1
    assert len(starts["val"]) == len(starts["test"]) == 1


def test_facts_and_decoding():
    made = data()
    assert (made.facts.task, made.facts.shape, made.facts.rows) == ("language", (16,), len(made.train))
    assert made.facts.vocab == made.facts.outputs == 10  # nine characters, and unknown
    assert made.facts.bytes_per_token == 1.0
    form = json.loads(json.dumps(made.preprocess))
    assert decoded(form, made.val.tokens) == TEXTS["val"][0]
    assert decoded(form, made.test.tokens) == TEXTS["test"][0].replace("?", "\N{REPLACEMENT CHARACTER}")


def test_bpe_is_read_from_the_cache_the_second_time(monkeypatch):
    pytest.importorskip("tokenizers", reason="the extra text is not installed")
    first = data("bpe", length=2)
    monkeypatch.setattr("danlu.data.text.BPE.train", None)
    second = data("bpe", length=2)
    assert first.fingerprint == second.fingerprint
    assert first.preprocess == second.preprocess
    assert decoded(second.preprocess, second.val.tokens) == TEXTS["val"][0] + "<|end|>"
    assert second.facts.bytes_per_token == len(TEXTS["val"][0]) / len(second.val.tokens)


def test_text_shorter_than_a_window():
    with pytest.raises(BadInput, match="val text has 108 tokens, too few for a window of 200; it needs at least 201"):
        data(length=200)


def test_stdlib_documents_of_a_folder(tmp_path):
    kept = {f"pkg/m{number}.py": f"x = {number}\n" for number in range(200)}
    left_out = ("test/a.py", "pkg/tests/b.py", "lib2to3/c.py", "idlelib/idle_test/d.py", "site-packages/e.py", "n.txt")
    skipped = dict.fromkeys(left_out, "secret\n")
    for name, text in (kept | skipped).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "latin.py").write_bytes(b"# \xe9\n")
    texts = documents(tmp_path)
    assert sorted(text for part in texts.values() for text in part) == sorted(kept.values())
    assert texts == documents(tmp_path)
    assert 3 <= len(texts["val"]) <= 20
    assert 3 <= len(texts["test"]) <= 20


def test_no_stdlib_files(tmp_path):
    with pytest.raises(BadInput, match="no Python source files"):
        documents(tmp_path)
