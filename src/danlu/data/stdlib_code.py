"""Python source to learn a language from, which every Python carries with it: its own standard library."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path

from danlu import messages
from danlu.data.corpora import Vocabulary, part
from danlu.data.source import Data
from danlu.data.text import language_data
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt, PositiveInt

# tests, what is not the library, and files that are mostly tables
SKIPPED = {"test", "tests", "idle_test", "lib2to3", "encodings", "pydoc_data", "site-packages", "dist-packages", "__pycache__"}


@dataclass(frozen=True)
class StdlibCode:
    """Python source code: the standard library of the Python that runs, as byte pairs (needs the extra `text`). About 9 MB in 3.11.

    Tests, site packages, lib2to3 and the tables of encodings are left out. A hash of a file's path makes 5 % of the files val and 5 %
    test; another Python version has other text, and so another fingerprint.

    vocabulary: number of token ids, learned from the train files ｜ 词表大小，由训练文件学得
    length: tokens of a row ｜ 每行的词元数
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: Python 标准库源代码：以当前 Python 自带的源文件为语料，按 BPE 训练语言模型。

    中文: 需要可选组件 `text`；Python 3.11 的约 9 MB。不含测试、site-packages、lib2to3 与编码表。按文件路径的哈希取 5% 的文件作验证集、
    5% 作测试集；换一个 Python 版本，文本不同，数据指纹也就不同。
    Scope: 5.3
    """

    vocabulary: Vocabulary = 2048
    length: PositiveInt = 256
    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        texts = documents(Path(sysconfig.get_path("stdlib")))
        return language_data("stdlib_code", texts, "bpe", self.vocabulary, self.length, self.workers)


def documents(folder: Path) -> dict[str, list[str]]:
    """{split: texts} of the Python files under `folder`, by their path; a file that is not UTF-8 is left out. Raises BadInput for none."""
    texts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    for name in sorted(found):
        if SKIPPED.isdisjoint(Path(name).parts) and not name.startswith("config-"):
            try:
                texts[part(name)].append(found[name].read_text(encoding="utf-8"))
            except UnicodeDecodeError:
                continue
    if not all(texts.values()):
        raise BadInput(messages.NO_SOURCE_FILES, folder=folder)
    return texts
