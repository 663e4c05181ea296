"""Text to token ids and back: characters, words, and byte-pair encoding, each with a plain form (JSON values) that makes it again.

`encode(text)` gives int64 [tokens], `decode(ids)` text, `vocab` the number of ids. Id 0 is never made from ordinary text: it is the
unknown character, the padding of words, and the end of a document for byte pairs.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.errors import BadInput

END = "<|end|>"


class Tokenizer(Protocol):
    """What text data asks of a tokenizer."""

    @property
    def vocab(self) -> int: ...

    def encode(self, text: str) -> Tensor: ...

    def decode(self, ids: Iterable[int]) -> str: ...

    def form(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Characters:
    """One token a character; `characters` are sorted, their ids start at 1, and 0 stands for any other."""

    characters: str
    end: ClassVar[int | None] = None

    @classmethod
    def train(cls, texts: Iterable[str]) -> Characters:
        return cls("".join(sorted(set().union(*texts))))

    @property
    def vocab(self) -> int:
        return len(self.characters) + 1

    def encode(self, text: str) -> Tensor:
        known, codes = _codes(self.characters), _codes(text)
        place = np.searchsorted(known, codes).clip(max=max(len(known) - 1, 0))
        ids = np.where(known[place] == codes, place + 1, 0) if len(known) else np.zeros(len(codes))
        return torch.from_numpy(ids.astype(np.int64))

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.characters[i - 1] if i else "\N{REPLACEMENT CHARACTER}" for i in map(int, ids))

    def form(self) -> dict[str, Any]:
        return {"kind": "characters", "characters": self.characters}


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


@dataclass(frozen=True)
class Words:
    """Lower-case words and punctuation marks: 0 is padding, 1 unknown, then `words` in their order; blanks and case are lost."""

    words: tuple[str, ...]
    end: ClassVar[int | None] = None

    @classmethod
    def train(cls, texts: Iterable[str], least: int = 2) -> Words:
        """Words that occur at least `least` times, the most frequent first, equal ones in alphabetical order."""
        counts = Counter(word for text in texts for word in _split(text))
        return cls(tuple(sorted((word for word, count in counts.items() if count >= least), key=lambda word: (-counts[word], word))))

    @property
    def vocab(self) -> int:
        return len(self.words) + 2

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, start=2)}

    def encode(self, text: str) -> Tensor:
        return torch.tensor([self._ids.get(word, 1) for word in _split(text)], dtype=torch.int64)

    def decode(self, ids: Iterable[int]) -> str:
        return " ".join(self.words[i - 2] if i > 1 else "\N{REPLACEMENT CHARACTER}" for i in map(int, ids) if i)

    def form(self) -> dict[str, Any]:
        return {"kind": "words", "words": list(self.words)}


def _split(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower())


@dataclass(frozen=True)
class BPE:
    """Byte-pair encoding over UTF-8 bytes (Sennrich et al. 2016; on bytes, Radford et al. 2019): every text can be encoded and restored.

    description: the JSON form of the package `tokenizers`, from the extra `text`. Id 0 marks the end of a document and is made of no text.
    """

    description: str
    end: ClassVar[int | None] = 0

    @classmethod
    def train(cls, texts: Sequence[str], vocabulary: int) -> BPE:
        """Merges learned on `texts` until there are `vocabulary` ids (or nothing is left to merge)."""
        lib = library()
        model = lib.Tokenizer(lib.models.BPE())
        model.pre_tokenizer = lib.pre_tokenizers.ByteLevel(add_prefix_space=False)
        model.decoder = lib.decoders.ByteLevel()
        trainer = lib.trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[END],
            initial_alphabet=sorted(lib.pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        model.train_from_iterator(texts, trainer, length=len(texts))
        return cls(model.to_str())

    @cached_property
    def _model(self) -> Any:
        model = library().Tokenizer.from_str(self.description)
        model.encode_special_tokens = True  # the end mark written out in a text is text
        return model

    @property
    def vocab(self) -> int:
        return self._model.get_vocab_size()

    def encode(self, text: str) -> Tensor:
        return torch.tensor(self._model.encode(text).ids, dtype=torch.int64)

    def decode(self, ids: Iterable[int]) -> str:
        return self._model.decode([int(i) for i in ids], skip_special_tokens=False)

    def form(self) -> dict[str, Any]:
        return {"kind": "bpe", "tokenizer": json.loads(self.description)}


def library() -> Any:
    """The package `tokenizers`. Raises BadInput when it is not installed."""
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError as error:
        raise BadInput(messages.EXTRA_NEEDED, model="bpe", package="tokenizers", extra="text") from error
    return tokenizers


def from_form(form: dict[str, Any]) -> Characters | Words | BPE:
    """The tokenizer whose `form()` this is."""
    if form["kind"] == "characters":
        return Characters(form["characters"])
    if form["kind"] == "words":
        return Words(tuple(form["words"]))
    if form["kind"] == "bpe":
        return BPE(json.dumps(form["tokenizer"], ensure_ascii=False))
    raise ValueError(f"no tokenizer kind {form['kind']!r}")
