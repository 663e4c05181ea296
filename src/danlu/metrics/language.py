"""Metrics of token models: how many choices, or how many bits, a token is worth to the model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from danlu import messages
from danlu.core import Batch
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.losses.criterion import exact, logits, wide
from danlu.metrics.metric import Metric, ratio


@dataclass(frozen=True)
class Perplexity:
    """exp of the mean negative log-likelihood of a token (for masked models, of a masked token: a pseudo-perplexity).

    ignore_index: the label of positions that do not count ｜ 忽略标签：标签为此值的位置不计入

    中文: 困惑度。
    Scope: 7.1
    """

    ignore_index: int = -100

    def __call__(self, facts: Facts) -> Metric:
        def finish(stats: dict[str, Tensor]) -> dict[str, float | None]:
            mean = ratio(stats["nll"], stats["tokens"])
            return {"perplexity": math.exp(mean) if mean is not None and mean < 709 else None}  # exp(709.8) is no longer a float

        return Metric("perplexity", _nll(self.ignore_index), finish, False, messages.UNDEFINED_TOKENS)


@dataclass(frozen=True)
class BitsPerByte:
    """Bits that the model needs for a UTF-8 byte of the text; unlike perplexity it can be compared across vocabularies.

    ignore_index: the label of positions that do not count ｜ 忽略标签：标签为此值的位置不计入

    中文: 每字节比特数（可跨词表比较）。
    Scope: 7.1
    """

    ignore_index: int = -100

    def __call__(self, facts: Facts) -> Metric:
        if not facts.bytes_per_token:
            raise BadInput(messages.NO_BYTES_PER_TOKEN)
        bits = math.log(2) * facts.bytes_per_token

        def finish(stats: dict[str, Tensor]) -> dict[str, float | None]:
            return {"bits_per_byte": ratio(stats["nll"], float(stats["tokens"]) * bits)}

        return Metric("bits_per_byte", _nll(self.ignore_index), finish, False, messages.UNDEFINED_TOKENS)


def _nll(ignore_index: int) -> Callable[[Any, Batch], dict[str, Any]]:
    def stats(output: Any, batch: Batch) -> dict[str, Any]:
        scores, target = wide(logits(output)).flatten(0, -2), batch.targets.flatten()
        if len(scores) != len(target) or target.is_floating_point():
            found = str(target.dtype).removeprefix("torch.")
            raise BadInput(messages.LABEL_SHAPES, output=tuple(logits(output).shape), target=tuple(batch.targets.shape), dtype=found)
        nll = F.cross_entropy(scores, target.long(), ignore_index=ignore_index, reduction="sum")
        return {"nll": nll.to(exact(nll.device)), "tokens": (target != ignore_index).sum()}

    return stats
