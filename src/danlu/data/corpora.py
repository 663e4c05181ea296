"""Texts to learn a language from: Shakespeare's plays, and lyrics of the Song dynasty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from danlu.data.find_files import dataset_folder
from danlu.data.source import Data
from danlu.data.text import Level, language_data
from danlu.fields import NonNegativeInt, PositiveInt, Range
from danlu.keys import mix

SHAKESPEARE_URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/"
SHAKESPEARE_FILES = {"input.txt": "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"}
POETRY_FILES = {"songci_6k.txt": "15b2da142947d99b71b98f72988687bc5d324ff18b63b4a58377ccce675a2756"}

Vocabulary = Annotated[int, Range(300, 1 << 20)]  # byte pairs begin with 256 bytes and the end mark


@dataclass(frozen=True)
class TinyShakespeare:
    """Tiny Shakespeare (Karpathy 2015): 1.1 million characters of plays. The first 90 % are train, the next 5 % val, the last 5 % test.

    level: characters (65, and one for unknown), or bpe (byte pairs; needs the extra `text`)
        ｜ characters 按字符（65 个，另加一个未知符），bpe 按字节对（需要可选组件 `text`）
    vocabulary: number of token ids for bpe; characters do not read it ｜ bpe 的词表大小；按字符切分时不用
    length: tokens of a row ｜ 每行的词元数
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: Tiny Shakespeare：约 110 万字符的莎士比亚剧本，按字符或 BPE 训练语言模型。
    Scope: 5.3
    """

    level: Level = "characters"
    vocabulary: Vocabulary = 2048
    length: PositiveInt = 128
    workers: NonNegativeInt = 0
    name: ClassVar[str] = "tinyshakespeare"

    def __call__(self) -> Data:
        folder = dataset_folder("tinyshakespeare", SHAKESPEARE_FILES, SHAKESPEARE_URL)
        text = (folder / "input.txt").read_text(encoding="utf-8")
        first, second = len(text) * 18 // 20, len(text) * 19 // 20
        texts = {"train": [text[:first]], "val": [text[first:second]], "test": [text[second:]]}
        return language_data(self.name, texts, self.level, self.vocabulary, self.length, self.workers)


@dataclass(frozen=True)
class ChinesePoetry:
    """Six thousand ci lyrics of the Song dynasty in simplified characters (chinese-poetry), about 517,000 characters.

    A hash of each poem's lines, without its title, makes 5 % of the poems val and 5 % test, so that one that occurs twice is in one part.

    level: characters (of the train poems, and one for unknown), or bpe (byte pairs; needs the extra `text`)
        ｜ characters 按字（取自训练集，另加一个未知符），bpe 按字节对（需要可选组件 `text`）
    vocabulary: number of token ids for bpe; characters do not read it ｜ bpe 的词表大小；按字符切分时不用
    length: tokens of a row ｜ 每行的词元数
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: 宋词六千首（简体，约 51.7 万字），按字符或 BPE 训练语言模型。

    中文: 按每首词正文（不含标题）的哈希取 5% 作验证集、5% 作测试集，因此重复收录的同一首词必在同一部分。
    Scope: 5.3
    """

    level: Level = "characters"
    vocabulary: Vocabulary = 4096
    length: PositiveInt = 128
    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        folder = dataset_folder("chinese_poetry", POETRY_FILES)
        parts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
        for poem in (folder / "songci_6k.txt").read_text(encoding="utf-8").strip().split("\n\n"):
            parts[part(poem.partition("\n")[2])].append(poem)
        texts = {split: ["\n\n".join(poems)] for split, poems in parts.items()}
        return language_data("chinese_poetry", texts, self.level, self.vocabulary, self.length, self.workers)


def part(key: str) -> str:
    """The split of a document, by a hash of `key`: one in twenty is val, one in twenty test."""
    return {0: "val", 1: "test"}.get(mix("split", key) % 20, "train")
