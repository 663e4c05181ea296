"""Own text files: every character is somewhere, passages do not move, and files that are no text are refused."""

import json
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.data.text_files import TextFiles, encode, passages, read_rows
from danlu.errors import BadInput


def prose(seed=0, sentences=600, chinese=False):
    draw = random.Random(seed)
    letters = "天地玄黄宇宙洪荒日月盈昃辰宿列张" if chinese else "abcdefghij klmn opqr stu vwxyz"
    ends = "。！？\n" if chinese else ".!?\n"
    return "".join("".join(draw.choices(letters, k=draw.randint(5, 60))) + draw.choice(ends) for _ in range(sentences))


def tokens(data, name):
    return getattr(data, name).content()[0].long()


def decoded(data, name):
    known = data.preprocess["tokenizer"]["characters"]
    return "".join(known[i - 1] if i else "?" for i in tokens(data, name).tolist())


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=4000) | st.integers(0, 99).map(lambda seed: prose(seed, 80)))
def test_passages_are_the_text(text):
    pieces = list(passages(text))
    assert "".join(pieces) == text
    assert all(len(piece) >= 600 for piece in pieces) or len(pieces) == 1


def test_an_insertion_moves_only_what_is_near():
    text = prose(1, 2000)
    before, after = set(passages(text)), set(passages(text[:30000] + " A new sentence." + text[30000:]))
    assert len(before) > 30 and len(before - after) < 8


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_give_the_same_rows(tmp_path, encoding):
    text = prose(2, chinese=True)
    (tmp_path / "plain.txt").write_text(text, "utf-8")
    (tmp_path / "书.txt").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    plain, own = (TextFiles(path=str(tmp_path / name), length=32)() for name in ("plain.txt", "书.txt"))
    assert own.fingerprint == plain.fingerprint
    assert own.preprocess["tokenizer"]["characters"] == "".join(sorted(set(decoded(own, "train"))))
    kept = sum(len(decoded(own, name)) for name in ("train", "val", "test"))
    assert len(text) <= kept < len(text) + 60  # a line feed between passages that did not follow one another


def test_folder_and_pattern_find_the_same(tmp_path):
    for place in range(4):
        (tmp_path / f"{place}.txt").write_text(prose(place, 200), "utf-8")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / ".hidden.txt").write_text("hidden", "utf-8")
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    folder, pattern = TextFiles(path=str(tmp_path))(), TextFiles(path=str(tmp_path / "*.txt"))()
    assert folder.fingerprint == pattern.fingerprint
    assert "empty.txt holds no text" in folder.preprocess["notes"][0]["en"] and "4 files" in folder.preprocess["notes"][-1]["en"]
    before = decoded(folder, "val")
    (tmp_path / "0a.txt").write_text(prose(9, 200), "utf-8")
    after = decoded(TextFiles(path=str(tmp_path))(), "val")
    assert all(piece in after for piece in before.split("\n") if piece)


def test_given_parts_are_whole(tmp_path):
    for place, name in enumerate(("a", "v", "t")):
        (tmp_path / name).write_text(prose(place, 40), "utf-8")
    data = TextFiles(*(str(tmp_path / name) for name in "avt"), length=16)()
    assert decoded(data, "train") == prose(0, 40) and len(tokens(data, "val")) == len(prose(1, 40))


def test_bpe_and_encode(tmp_path):
    (tmp_path / "a.txt").write_text(prose(3), "utf-8")
    for level in ("characters", "bpe"):
        data = TextFiles(path=str(tmp_path / "a.txt"), level=level, vocabulary=300, length=16)()
        ids = encode(data.preprocess, "a fine day.")
        assert ids.dtype == torch.int64 and ids.ndim == 1 and int(ids.max()) < data.facts.vocab
        texts, targets, names = read_rows(data.preprocess, tmp_path / "a.txt")
        assert texts == [prose(3)] and names == [str(tmp_path / "a.txt")]
        own = encode(data.preprocess, prose(3))
        assert torch.equal(targets[: len(own)], own) and len(targets) - len(own) == (level == "bpe")


def test_refusals(tmp_path):
    def refused(words, name, raw=None, **fields):
        if raw is not None:
            (tmp_path / name).write_bytes(raw)
        with pytest.raises(BadInput) as caught:
            TextFiles(path=str(tmp_path / name) if name else "", **fields)()
        assert words in str(caught.value)

    refused("danlu train text data.path='books/*.txt'", "")
    refused("no text file is found", "*.nothing")
    refused("0 characters", "empty.txt", b" \n")
    refused("has 500 characters", "short.txt", b"a sentence. " * 41 + b"and this")
    refused("line 2: a zero byte", "zero.txt", b"abc\nd\0ef")
    refused("line 2: the byte 0xff", "bytes.txt", b"abc\n\xff\xff\xff")
    refused("line 2: the byte 0xff", "utf8.txt", "中文\n火\n候".encode().replace("火".encode(), b"\xff"))
    refused("the same passage again and again", "alike.txt", b"x" * 200_000)
    refused("too few for a window of 5000", "long.txt", prose(4, 300).encode(), length=5000)
    alpaca = {"instruction": "a", "input": "", "output": "b"}
    refused("dialogues in alpaca form", "a.jsonl", json.dumps(alpaca).encode())
    refused("dialogues in alpaca form", "a.json", json.dumps([alpaca], indent=1).encode())
    refused("dialogues in messages form", "m.jsonl", json.dumps({"messages": [{"role": "user", "content": "a"}]}).encode())
    refused("neither the alpaca nor the messages form", "o.jsonl", b'{"text": "abc"}')


def test_the_form_of_tinyshakespeare(shared):
    from danlu.data.corpora import TinyShakespeare

    data = TinyShakespeare()()
    text = (shared / "tinyshakespeare" / "input.txt").read_text("utf-8")
    assert torch.equal(encode(data.preprocess, text[: len(text) * 18 // 20]), tokens(data, "train"))
