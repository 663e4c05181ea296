"""Sampling from a language model, one token at a time, each from a fresh look at the last `context` tokens.

Temperature: Ackley et al. 1985; the k most likely tokens only: Fan et al. 2018. No cache: it costs O(length * context) token evaluations.

Shapes: B batch, T length, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from danlu.nets.facts import evaluating


@torch.no_grad()
def generate(
    model: nn.Module,
    tokens_BT: Tensor,
    length: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The prompt and `length` more tokens: [B, T + length] int64.

    model: tokens -> logits [B, T, V], or an object with `.logits`; its `context`, if it has one, is where older tokens are cut off.
    temperature: divides the logits; 0 always takes the most likely token. top_k: sample among the k most likely only.
    generator: on the tokens' device; None is torch's global one. The model is in eval mode meanwhile.
    """
    context = getattr(model, "context", None)
    with evaluating(model):
        for _ in range(length):
            output = model(tokens_BT if context is None else tokens_BT[:, -context:])
            logits_BV = getattr(output, "logits", output)[:, -1].float()
            tokens_BT = torch.cat([tokens_BT, chosen(logits_BV, temperature, top_k, generator)], dim=1)
    return tokens_BT


def chosen(logits_BV: Tensor, temperature: float, top_k: int | None, generator: torch.Generator | None) -> Tensor:
    """One token a row, [B, 1]."""
    if temperature == 0:
        return logits_BV.argmax(-1, keepdim=True)
    if top_k is None:
        return torch.multinomial((logits_BV / temperature).softmax(-1), 1, generator=generator)
    best_BK, tokens_BK = logits_BV.topk(min(top_k, logits_BV.shape[-1]))  # k by count, so that ties do not let more in
    return tokens_BK.gather(-1, torch.multinomial((best_BK / temperature).softmax(-1), 1, generator=generator))
