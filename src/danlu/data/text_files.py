"""A language model's text from a person's own files, split by the content of its passages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data.corpora import Vocabulary
from danlu.data.own_split import note, split_rows
from danlu.data.read_text import read_text
from danlu.data.read_text import text_files as files_of
from danlu.data.source import Data
from danlu.data.table_split import PARTS, TEST, TRAIN, VAL
from danlu.data.text import language_data
from danlu.data.tokenizers import from_form
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt, PositiveInt

FEW = 4_000_000  # characters up to which a text is learned character by character
MANY = 100_000  # characters in which there is one passage of each part, unless they are all alike
LEAST = 600  # characters of a passage
TAIL, ONE_IN = 48, 12  # a passage ends after a sentence when a hash of the 48 characters before says so, on average once in 12
SENTENCE = re.compile(r"[^\n.!?。！？]{0,1000}[\n.!?。！？]+|[^\n.!?。！？]{1,1000}")


@dataclass(frozen=True)
class TextFiles:
    """Texts of your own to learn a language from: one file, a folder (.txt, .text, .md), or a pattern such as books/*.txt.

    Texts are cut into passages of some 1,000 characters where their own sentences decide, and a hash of a passage makes 10 % val and 10 %
    test: what is added or removed elsewhere moves no passage. With `val_path` or `test_path` these are that, and are not cut.

    path: the file, folder or pattern ｜ 文件、文件夹或通配模式
    val_path: validation text, likewise ｜ 验证文本，写法同上
    test_path: test text, likewise ｜ 测试文本，写法同上
    level: characters (those of the train text, and one for unknown), or bpe (byte pairs; needs the extra `text`); auto takes bpe for more
        than 4 million characters
        ｜ characters 按字符（取自训练文本，另加一个未知符），bpe 按字节对（需要可选组件 `text`）；auto 在超过 400 万字符时用 bpe
    vocabulary: number of token ids for bpe; characters do not read it ｜ bpe 的词表大小；按字符切分时不用
    length: tokens of a row ｜ 每行的词元数
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: 自己的文本文件，按字符或 BPE 训练语言模型。

    中文: 可以是一个文件、一个文件夹（取其中的 `.txt`、`.text`、`.md`），或 `books/*.txt` 这样的通配模式。文本切成约 1,000 个字符的段落，
    切在何处由文本自己的句子决定，再按段落的哈希取 10% 作验证集、10% 作测试集：别处的增删不会让任何段落换到另一部分。
    给出 `val_path` 或 `test_path` 时就用它们，不再切分。
    Scope: 12.4
    """

    path: str = ""
    val_path: str = ""
    test_path: str = ""
    level: Literal["auto", "characters", "bpe"] = "auto"
    vocabulary: Vocabulary = 4096
    length: PositiveInt = 128
    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        if not self.path:
            raise BadInput(messages.TEXT_NO_PATH)
        files = [(file, part) for path, part in ((self.path, TRAIN), (self.val_path, VAL), (self.test_path, TEST)) if path
                 for file in files_of(path)]  # fmt: skip
        read = [(file, part, read_text(file)) for file, part in files]
        notes = [note(messages.TEXT_EMPTY_FILE, path=str(file)) for file, _, text in read if not text.strip()]
        read = [row for row in read if row[2].strip()]
        whole = sum(len(text) for _, part, text in read if part == TRAIN)
        documents = _documents([(text, part) for _, part, text in read])
        if not documents["train"] or not documents["val"]:
            few = messages.TEXT_TOO_FEW if whole < MANY else messages.TEXT_ALIKE
            raise BadInput(few, path=self.path, count=whole, least=4 * LEAST)
        level = self.level if self.level != "auto" else "bpe" if whole > FEW else "characters"
        texts = {part: own if level == "bpe" else ["\n".join(own)] for part, own in documents.items() if own}
        data = language_data("text_files", texts, level, self.vocabulary, self.length, self.workers)
        counts = {part: sum(map(len, texts.get(part, ()))) for part in PARTS}
        notes.append(note(messages.TEXT_SIZES, files=len(read), **counts, kind=messages.TEXT_LEVELS[level], vocab=data.facts.vocab))
        return replace(data, preprocess={**data.preprocess, "notes": notes})


def encode(form: Mapping[str, Any], text: str) -> Tensor:
    """Token ids of a text, int64 [tokens], by `Data.preprocess` of kind "text" without a `length`."""
    return from_form(form["tokenizer"]).encode(text)


def read_rows(form: Mapping[str, Any], path: str | Path) -> tuple[list[str], Tensor, list[str]]:
    """Text to evaluate on: (the text of each file, the tokens of all of them int64 [tokens], the files' names).

    Between files stands the end mark, where the tokenizer has one. Files that hold nothing are left out.
    """
    read = [(file, text) for file in files_of(path) if (text := read_text(file)).strip()]
    if not read:
        raise BadInput(messages.TEXT_TOO_FEW, path=path, count=0, least=1)
    tokenizer = from_form(form["tokenizer"])
    end = torch.tensor([] if tokenizer.end is None else [tokenizer.end], dtype=torch.int64)
    tokens = torch.cat([part for _, text in read for part in (tokenizer.encode(text), end)])
    return [text for _, text in read], tokens, [str(file) for file, _ in read]


def passages(text: str) -> Iterator[str]:
    """The text in pieces of at least 600 characters (unless all of it is shorter) whose ends depend on the text just before them."""
    kept, size, held = [], 0, ""
    for found in SENTENCE.finditer(text):
        kept.append(found.group())
        size += len(kept[-1])
        tail = text[max(0, found.end() - TAIL) : found.end()]
        if size >= LEAST and _hash(tail) % ONE_IN == 0:
            if held:
                yield held
            held, kept, size = "".join(kept), [], 0
    rest = "".join(kept)
    if held and size >= LEAST:
        yield held
        held = ""
    if held + rest:
        yield held + rest


def _documents(read: list[tuple[str, int]]) -> dict[str, list[str]]:
    """{part: texts}; passages that follow one another in a file and share a part stay together."""
    pieces = [(place, piece, part) for place, (text, part) in enumerate(read) for piece in (passages(text) if part == TRAIN else [text])]
    documents: dict[str, list[str]] = {part: [] for part in PARTS}
    if not pieces:
        return documents
    hashes = np.array([_hash(piece) for _, piece, _ in pieces], np.uint64)
    given = np.array([part for _, _, part in pieces], np.int8)
    parts, _ = split_rows(hashes, np.zeros(len(pieces), np.int64), given)
    before = None
    for (place, piece, _), part in zip(pieces, parts.tolist()):
        own = documents[PARTS[part]]
        if before == (place, part):
            own[-1] += piece
        else:
            own.append(piece)
        before = (place, part)
    return documents


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
