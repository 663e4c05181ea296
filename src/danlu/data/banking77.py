"""What a customer of a bank wants: short questions with 77 intents (Casanueva et al. 2020)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from danlu.data.corpora import Vocabulary
from danlu.data.find_files import dataset_folder
from danlu.data.fingerprint import fingerprint
from danlu.data.source import Data, Facts, Tensors
from danlu.data.splits import cut
from danlu.data.table import read_csv
from danlu.data.tokenizers import BPE, Tokenizer, Words
from danlu.fields import NonNegativeInt, PositiveInt

URL = "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/master/banking_data/"
FILES = {
    "train.csv": "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
    "test.csv": "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
    "categories.json": "53261da888122daf2d120d925458631d9619e15d82e56052e7a42e535ce32b63",
}


@dataclass(frozen=True)
class Banking77:
    """Banking77 (Casanueva et al. 2020): short questions to a bank with 77 intents; about 9,000 train, 1,000 val, and 3,080 test rows.

    The test rows are the official ones; val is 10 % of the official training rows, of each class. Inputs are int64 [rows, length], padded
    at the end with id 0; longer questions are cut.

    level: words (lower case, those that occur twice in train), or bpe (byte pairs; needs the extra `text`)
        ｜ words 按词（小写，取训练集中出现两次及以上的），bpe 按字节对（需要可选组件 `text`）
    vocabulary: number of token ids for bpe; words do not read it ｜ bpe 的词表大小；按词切分时不用
    length: tokens of a row ｜ 每行的词元数
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: Banking77：银行客户的短问句，77 种意图的文本分类。

    中文: 训练约 9,000 行、验证约 1,000 行、测试 3,080 行：测试集即官方测试集，验证集从官方训练集中按类别各取 10%。
    输入为 int64 `[rows, length]`，末尾以编号 0 填充；更长的问句会被截断。
    Scope: 1.2
    """

    level: Literal["words", "bpe"] = "words"
    vocabulary: Vocabulary = 2048
    length: PositiveInt = 48
    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        folder = dataset_folder("banking77", FILES, URL)
        labels = tuple(json.loads((folder / "categories.json").read_text(encoding="utf-8")))
        official, held_out = read_csv(folder / "train.csv"), read_csv(folder / "test.csv")
        y, y_test = (torch.tensor([labels.index(label) for label in part["category"]]) for part in (official, held_out))
        train, val = cut(len(y), 0.1, classes=y)
        learned = [official["text"][row] for row in train.tolist()]
        tokenizer = Words.train(learned) if self.level == "words" else BPE.train(learned, self.vocabulary)
        x, x_test = padded(tokenizer, official["text"], self.length), padded(tokenizer, held_out["text"], self.length)
        splits = {
            "train": Tensors(x[train], y[train], self.workers),
            "val": Tensors(x[val], y[val], self.workers),
            "test": Tensors(x_test, y_test, self.workers),
        }
        facts = Facts(
            task="classify",
            shape=(self.length,),
            outputs=len(labels),
            vocab=tokenizer.vocab,
            labels=labels,
            class_counts=tuple(torch.bincount(y[train], minlength=len(labels)).tolist()),
            rows=len(train),
            padding=0,
        )
        form = {"kind": "text", "tokenizer": tokenizer.form(), "length": self.length, "padding": 0, "labels": list(labels)}
        return Data(facts=facts, fingerprint=fingerprint(*splits.values()), preprocess=form, **splits)


def padded(tokenizer: Tokenizer, texts: Sequence[str], length: int) -> Tensor:
    """Token ids [texts, length] int64: cut after `length`, filled up with 0."""
    ids = torch.zeros(len(texts), length, dtype=torch.int64)
    for row, text in enumerate(texts):
        tokens = tokenizer.encode(text)[:length]
        ids[row, : len(tokens)] = tokens
    return ids
