"""Tokenizers give text back, and are made again from their plain form."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.data.tokenizers import BPE, END, Characters, Words, from_form

TEXTS = ["def f(x):\n    return x + 1\n" * 20, "丹炉，炼丹之炉。\n" * 30, "To be, or not to be, that is the question.\n" * 20]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.fixture(scope="module")
def bpe():
    pytest.importorskip("tokenizers", reason="the extra text is not installed")
    return BPE.train(TEXTS, 320)


def test_characters_round_trip():
    tokenizer = Characters.train(TEXTS)
    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert ids.dtype == torch.int64
        assert len(ids) == len(text)
        assert tokenizer.decode(ids) == text
        assert 1 <= int(ids.min()) <= int(ids.max()) < tokenizer.vocab
    assert tokenizer.vocab == 1 + len(set("".join(TEXTS)))


@given(st.text(st.characters(exclude_categories=["Cs"])), TEXT)
def test_characters_not_seen_in_train_are_zero(learned, text):
    tokenizer = Characters.train([learned])
    ids = tokenizer.encode(text).tolist()
    assert ids == [tokenizer.characters.index(c) + 1 if c in learned else 0 for c in text]
    assert tokenizer.decode(ids) == "".join(c if c in learned else "\N{REPLACEMENT CHARACTER}" for c in text)


@settings(deadline=None)
@given(text=TEXT)
def test_bpe_round_trip(bpe, text):
    ids = bpe.encode(text)
    assert bpe.decode(ids) == text
    assert bpe.end not in ids


def test_bpe_compresses_what_it_learned(bpe):
    assert 257 < bpe.vocab <= 320  # these short texts may run out of pairs
    assert all(len(bpe.encode(text)) < len(text.encode()) / 2 for text in TEXTS)


def test_end_mark_written_in_a_text_is_text(bpe):
    ids = bpe.encode(f"a{END}b")
    assert bpe.end not in ids
    assert bpe.decode(ids) == f"a{END}b"
    assert bpe.decode([bpe.end]) == END


def test_bpe_training_is_repeatable(bpe):
    assert BPE.train(TEXTS, 320) == bpe


def test_words():
    tokenizer = Words.train(["The card, the CARD!", "a card?"])
    assert tokenizer.words == ("card", "the")
    assert tokenizer.encode("The card is lost").tolist() == [3, 2, 1, 1]
    assert tokenizer.decode([3, 2, 0, 0]) == "the card"
    assert tokenizer.vocab == 4


@pytest.mark.parametrize("kind", ["characters", "words", "bpe"])
def test_plain_form_makes_it_again(kind, bpe):
    tokenizer = {"characters": Characters.train(TEXTS), "words": Words.train(TEXTS), "bpe": bpe}[kind]
    again = from_form(json.loads(json.dumps(tokenizer.form())))
    assert again.vocab == tokenizer.vocab
    for text in (*TEXTS, "丹 x"):
        assert torch.equal(again.encode(text), tokenizer.encode(text))
