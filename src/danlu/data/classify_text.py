"""A person's own texts with a label each, from a table; `encode` makes any text the tokens that training saw."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data import table_split
from danlu.data.banking77 import padded
from danlu.data.corpora import Vocabulary
from danlu.data.fingerprint import fingerprint
from danlu.data.own_split import Note, in_order, note, sizes, split_rows, without_validation
from danlu.data.read_table import Columns, read_table
from danlu.data.read_text import refuse_dialogues
from danlu.data.source import Data, Facts, Tensors
from danlu.data.table_scan import MOST_CLASSES
from danlu.data.table_split import PARTS, TEST, TRAIN, VAL
from danlu.data.tokenizers import BPE, Characters, Tokenizer, Words, from_form
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt, PositiveInt

CAP = 128  # tokens of a row that are kept unless `length` says more
WITHOUT_BLANKS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@dataclass(frozen=True)
class ClassifyText:
    """Texts of your own with a label each, from a table (CSV, TSV or Parquet).

    Without `val_path`, `test_path` or `split` a hash of the text (or of `group`) makes 10 % test and 10 % val; a class that has 3
    different texts has one in each part. The tokenizer is made from the train texts alone. Inputs are int64 [rows, length], padded at the
    end with id 0; longer texts are cut.

    path: the file ｜ 文件路径
    text: the column that holds the text ｜ 文本所在的列
    target: the column to be predicted ｜ 要预测的列
    val_path: a file of validation rows ｜ 验证集文件
    test_path: a file of test rows ｜ 测试集文件
    split: a column that names train, val or test ｜ 标明每行属于 train、val 还是 test 的列
    group: a column whose equal values stay in one part (an author, a customer)
        ｜ 分组列：值相同的行不会被分到不同部分（如同一作者、同一客户）
    level: words (lower case, those that occur twice in train), characters, or bpe (byte pairs; needs the extra `text`); auto takes
        characters where most letters belong to a script without blanks (Chinese, Japanese, Thai), else words
        ｜ words 按词（小写，取训练集中出现两次及以上的），characters 按字符，bpe 按字节对（需要可选组件 `text`）；
        auto 在多数字母属于不用空格分词的文字（中文、日文、泰文）时按字符，否则按词
    vocabulary: number of token ids for bpe; the others do not read it ｜ bpe 的词表大小；其他切分方式不用
    length: tokens of a row; null takes what 95 % of the train texts need, up to 128
        ｜ 每行的词元数；null 取能完整容纳 95 % 训练文本的长度，至多 128
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: 自己的文本分类数据：表格中一列文本、一列标签。

    中文: 没有给出 `val_path`、`test_path` 或 `split` 时，按文本（或 `group`）的哈希取 10% 作测试集、10% 作验证集；
    某个类别有 3 条及以上不同的文本时，每个部分都有它的文本。分词器只由训练文本得出。输入为 int64 `[rows, length]`，末尾以编号 0 填充；
    更长的文本会被截断。
    Scope: 12.3
    """

    path: str = ""
    text: str = ""
    target: str = ""
    val_path: str = ""
    test_path: str = ""
    split: str = ""
    group: str = ""
    level: Literal["auto", "words", "characters", "bpe"] = "auto"
    vocabulary: Vocabulary = 4096
    length: PositiveInt | None = None
    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        rows, given, groups, notes = _rows(self)
        texts, names = rows[self.text], rows[self.target]
        labels = in_order({name for name, part in zip(names, given) if part == TRAIN})
        _check(self, names, given, labels)
        place = {label: number for number, label in enumerate(labels)}
        y = np.array([place[name] for name in names])
        hashes = table_split.row_hashes(rows, [self.text])
        parts, how = split_rows(table_split.row_hashes({"group": groups}, ["group"]) if groups else hashes, y, given, bool(groups))
        trained = [text for text, part in zip(texts, parts) if part == TRAIN]
        if not trained:
            raise BadInput(messages.TABLE_NO_TRAIN, path=self.path)
        tokenizer = _tokenizer(self, trained)
        counts = np.array([len(tokenizer.encode(text)) for text in texts])
        length = self.length or max(1, min(CAP, int(np.quantile(counts[parts == TRAIN], 0.95, method="higher"))))
        form = {"kind": "text", "tokenizer": tokenizer.form(), "length": length, "padding": 0, "labels": list(labels)}
        form |= {"column": self.text, "target": self.target}
        x, targets = encode(form, texts), torch.from_numpy(y)
        ids = {name: torch.from_numpy(np.flatnonzero(parts == part)) for part, name in enumerate(PARTS)}
        splits = {name: Tensors(x[own], targets[own], self.workers) for name, own in ids.items() if len(own)}
        facts = Facts(
            task="classify",
            shape=(length,),
            outputs=len(labels),
            vocab=tokenizer.vocab,
            labels=labels,
            class_counts=tuple(np.bincount(y[parts == TRAIN], minlength=len(labels)).tolist()),
            rows=len(trained),
            padding=0,
        )
        notes += _notes(labels, parts, y, hashes, how)
        kind = messages.TEXT_LEVELS[tokenizer.form()["kind"]]
        notes.append(note(messages.TEXT_TOKENS, kind=kind, vocab=tokenizer.vocab, length=length, cut=int((counts > length).sum())))
        return Data(facts=facts, fingerprint=fingerprint(*map(splits.get, PARTS)), preprocess={**form, "notes": notes}, **splits)


def encode(form: Mapping[str, Any], texts: Sequence[str]) -> Tensor:
    """Token ids of texts as training sees them, int64 [rows, length], by `Data.preprocess` of kind "text" with a `length`."""
    return padded(from_form(form["tokenizer"]), [text.strip() for text in texts], form["length"])


def read_rows(form: Mapping[str, Any], path: str | Path) -> tuple[list[str], Tensor, list[str]]:
    """Texts to evaluate on: (the texts, their classes int64 [rows], the numbers of their rows, from 1).

    The columns are those of the form; where it names none, `text` and the only other one. Raises BadInput for a column that is not
    there and for a label that is none of the form's.
    """
    refuse_dialogues(path)
    columns, labels = read_table(path), list(form["labels"])
    text = form.get("column", "text")
    others = [name for name in columns if name != text]
    target = form.get("target", others[0] if len(others) == 1 else "category")
    for field, name in (("text", text), ("target", target)):
        if name not in columns:
            raise BadInput(messages.TABLE_NO_COLUMN, path=path, column=name, field=field, columns=", ".join(columns))
    place = {label: number for number, label in enumerate(labels)}
    for row, label in enumerate(columns[target]):
        if label not in place:
            raise BadInput(messages.TABLE_UNKNOWN_LABEL, column=target, row=row, value=label[:60], labels=_shown(labels))
    targets = torch.tensor([place[label] for label in columns[target]])
    return columns[text], targets, [str(row) for row in range(1, len(targets) + 1)]


def _shown(labels: Sequence[str]) -> str:
    return ", ".join(labels[:20]) + (", ..." if len(labels) > 20 else "")


def _rows(asked: ClassifyText) -> tuple[Columns, np.ndarray, list[str], list[Note]]:
    """Text and target of all files' usable rows, the part that is given to each (train where none is), groups, and notes."""
    if not asked.path:
        raise BadInput(messages.TEXT_NO_TABLE)
    rows: Columns = {asked.text: [], asked.target: []}
    given, groups, notes = [], [], []
    for path, part in ((asked.path, TRAIN), (asked.val_path, VAL), (asked.test_path, TEST)):
        if not path:
            continue
        refuse_dialogues(path)
        columns = read_table(path)
        _check_columns(asked, path, columns, part == TRAIN)
        usable = [row for row, pair in enumerate(zip(columns[asked.text], columns[asked.target])) if all(pair)]
        if lost := len(columns[asked.text]) - len(usable):
            notes.append(note(messages.TEXT_DROPPED, path=path, count=lost, text=asked.text, target=asked.target))
        for name in rows:
            rows[name] += [columns[name][row] for row in usable]
        own = (
            table_split.named(asked.split, columns[asked.split])
            if asked.split and part == TRAIN
            else np.full(len(columns[asked.text]), part)
        )
        given.append(own[usable].astype(np.int8))
        if asked.group:
            groups += [columns[asked.group][row] if asked.group in columns else "" for row in usable]
    if not rows[asked.text]:
        raise BadInput(messages.TEXT_NO_ROWS, path=asked.path, text=asked.text, target=asked.target)
    return rows, np.concatenate(given), groups, notes


def _check_columns(asked: ClassifyText, path: str, columns: Columns, main: bool) -> None:
    seen: dict[str, str] = {}
    for field in ("text", "target", "split", "group") if main else ("text", "target"):
        name = getattr(asked, field)
        if not name and field in ("text", "target"):
            raise BadInput(messages.TEXT_NO_COLUMN, path=path, field=field, columns=", ".join(columns))
        if name and name not in columns:
            raise BadInput(messages.TABLE_NO_COLUMN, path=path, column=name, field=field, columns=", ".join(columns))
        if name and name in seen:
            raise BadInput(messages.TABLE_TWO_ROLES, column=name, first=seen[name], second=field)
        seen[name] = field


def _check(asked: ClassifyText, names: Sequence[str], given: np.ndarray, labels: Sequence[str]) -> None:
    if not labels:
        raise BadInput(messages.TABLE_NO_TRAIN, path=asked.path)
    if len(labels) == 1:
        raise BadInput(messages.TABLE_ONE_CLASS, target=asked.target, label=labels[0], rows=len(given))
    if len(labels) > MOST_CLASSES:
        raise BadInput(messages.TEXT_MANY_CLASSES, target=asked.target, count=len(labels), most=MOST_CLASSES)
    known = set(labels)
    for row, (name, part) in enumerate(zip(names, given)):
        if part != TRAIN and name not in known:
            raise BadInput(messages.TABLE_UNKNOWN_LABEL, column=asked.target, row=row, value=name[:60], labels=_shown(labels))


def _tokenizer(asked: ClassifyText, texts: Sequence[str]) -> Tokenizer:
    level = asked.level
    if level == "auto":
        letters = sum(letter.isalpha() for text in texts for letter in text)
        level = "characters" if 2 * sum(len(WITHOUT_BLANKS.findall(text)) for text in texts) > letters else "words"
    if level == "bpe":
        return BPE.train(texts, asked.vocabulary)
    return Characters.train(texts) if level == "characters" else Words.train(texts)


def _notes(labels: Sequence[str], parts: np.ndarray, y: np.ndarray, hashes: np.ndarray, how: str) -> list[Note]:
    notes = [note(messages.TEXT_CLASSES, count=len(labels), labels=_shown(labels))]
    notes.append(note(messages.TABLE_SPLIT_SIZES, **sizes(parts), how=messages.TEXT_HOW[how]))
    notes += [note(messages.TABLE_NO_VALIDATION, label=label, count=count) for label, count in without_validation(parts, y, labels)]
    first: dict[int, int] = {}
    twins = [(first.setdefault(own, row), row) for row, own in enumerate(hashes.tolist())]
    for sentence, values in ((messages.TEXT_TWO_CLASSES, y), (messages.TEXT_TWO_PARTS, parts)):
        if count := sum(int(values[one] != values[other]) for one, other in twins):
            notes.append(note(sentence, count=count))
    return notes
