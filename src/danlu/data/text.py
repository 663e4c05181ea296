"""Language modelling over one long text: rows are windows of tokens, targets the same windows one token later.

Shapes: B rows, T tokens of a window.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data.cached import cached
from danlu.data.fingerprint import fingerprint
from danlu.data.source import Data, Facts
from danlu.data.tokenizers import BPE, Characters, from_form, library
from danlu.errors import BadInput
from danlu.keys import mix

PIECE = 1 << 20  # characters encoded at once: an int64 a character is eight times the text
Level = Literal["characters", "bpe"]


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows that do not overlap: row i starts at token offset + i * length; inputs and targets are int64 [B, T].

    When they `move`, the offset is drawn anew for every pass, so that windows begin elsewhere each time; else it is 0. Tokens after
    the last whole window are left out.
    """

    tokens: Tensor  # [tokens] uint16 or int32
    length: int
    move: bool = False
    workers: int = 0

    def __len__(self) -> int:
        reserve = self.length - 1 if self.move else 0  # the largest offset
        return max(0, (len(self.tokens) - 1 - reserve) // self.length)

    def fetch(self, ids: Tensor, draw: int) -> tuple[Tensor, Tensor]:
        offset = mix("offset", draw) % self.length if self.move else 0
        place = (ids * self.length + offset)[:, None] + torch.arange(self.length + 1)
        window = self.tokens[place].long()
        return window[:, :-1].contiguous(), window[:, 1:].contiguous()

    def content(self) -> tuple[Any, Any]:
        return self.tokens, self.tokens[:0]  # the targets are the same tokens


def language_data(name: str, texts: Mapping[str, Sequence[str]], level: Level, vocabulary: int, length: int, workers: int) -> Data:
    """Data for a language model from {split: documents}; the tokenizer is made from the train documents.

    Between documents stands the end mark, where the tokenizer has one. `facts.bytes_per_token` is that of val, where bits per byte
    are read. Raises BadInput when a split is shorter than a window.
    """
    tokenizer, tokens = characters(texts) if level == "characters" else byte_pairs(name, texts, vocabulary)
    splits = {}
    for split, ids in tokens.items():
        splits[split] = Windows(_compact(ids, tokenizer.vocab), length, split == "train", workers)
        if len(splits[split]) == 0:
            least = 2 * length if split == "train" else length + 1
            raise BadInput(messages.TEXT_TOO_SHORT, split=split, tokens=len(ids), length=length, least=least)
    size = sum(len(text.encode()) for text in texts["val"])
    facts = Facts(
        task="language",
        shape=(length,),
        outputs=tokenizer.vocab,
        vocab=tokenizer.vocab,
        rows=len(splits["train"]),
        bytes_per_token=size / len(tokens["val"]),
    )
    form = {"kind": "text", "tokenizer": tokenizer.form()}
    return Data(facts=facts, fingerprint=fingerprint(*splits.values()), preprocess=form, **splits)


def _compact(ids: Tensor, vocab: int) -> Tensor:
    return ids.to(torch.uint16 if vocab <= 1 << 16 else torch.int32)


def characters(texts: Mapping[str, Sequence[str]]) -> tuple[Characters, dict[str, Tensor]]:
    """A character tokenizer of the train documents, and every split encoded, a piece at a time: {split: uint16 or int32 [tokens]}."""
    tokenizer = Characters.train(texts["train"])

    def encoded(documents: Sequence[str]) -> Tensor:
        pieces = (text[start : start + PIECE] for text in documents for start in range(0, max(len(text), 1), PIECE))
        return torch.cat([_compact(tokenizer.encode(piece), tokenizer.vocab) for piece in pieces])

    return tokenizer, {split: encoded(documents) for split, documents in texts.items()}


def byte_pairs(name: str, texts: Mapping[str, Sequence[str]], vocabulary: int) -> tuple[BPE, dict[str, Tensor]]:
    """A byte-pair tokenizer of the train documents, and every split encoded; both are kept in the cache under the digest of the text."""
    library()
    hashed = hashlib.sha256(f"{vocabulary} {metadata.version('tokenizers')}".encode())
    for split, documents in texts.items():
        hashed.update(json.dumps([split, *documents]).encode())
    arrays = cached(f"{name}-bpe-{hashed.hexdigest()[:32]}", lambda: _byte_pairs(texts, vocabulary))
    tokenizer = BPE(arrays["tokenizer"].tobytes().decode())
    return tokenizer, {split: torch.from_numpy(arrays[split]).long() for split in texts}


def _byte_pairs(texts: Mapping[str, Sequence[str]], vocabulary: int) -> dict[str, np.ndarray]:
    tokenizer = BPE.train(texts["train"], vocabulary)
    end = torch.tensor([tokenizer.end])
    arrays = {"tokenizer": np.frombuffer(tokenizer.description.encode(), np.uint8)}
    for split, documents in texts.items():
        arrays[split] = torch.cat([part for text in documents for part in (tokenizer.encode(text), end)]).int().numpy()
    return arrays


def decoded(preprocess: Mapping[str, Any], ids: Tensor) -> str:
    """The text of token ids [tokens], by the tokenizer that a run kept in its `preprocess`."""
    return from_form(preprocess["tokenizer"]).decode(ids.tolist())
