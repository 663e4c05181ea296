"""Scaled dot-product attention (Vaswani et al. 2017), with the weights' dropout keyed by sample when there is any.

Shapes: B batch, T length, H heads, K width of a head.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from danlu.nets.dropout import Dropout


def heads(x_BTD: Tensor, num_heads: int) -> Tensor:
    """[B, T, H * K] -> [B, H, T, K]."""
    return x_BTD.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def joined(x_BHTK: Tensor) -> Tensor:
    """[B, H, T, K] -> [B, T, H * K]."""
    return x_BHTK.transpose(1, 2).flatten(2)


def attend(q_BHTK: Tensor, k_BHTK: Tensor, v_BHTK: Tensor, dropout: Dropout, mask: Tensor | None = None) -> Tensor:
    """Weighted means [B, H, T, K] of the values; `mask` (bool, broadcast to [B, H, T, T]) is True where a query may look.

    The fused kernels draw their dropout from a global generator, which depends on how a batch is split; so with dropout the weights
    [B, H, T, T] are made here, and without it torch's kernel is used.
    """
    if not dropout.training or dropout.p == 0:
        return F.scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, attn_mask=mask)
    scores_BHTT = q_BHTK @ k_BHTK.transpose(-2, -1) * q_BHTK.shape[-1] ** -0.5
    if mask is not None:
        scores_BHTT = scores_BHTT.masked_fill(~mask, float("-inf"))
    return dropout(scores_BHTT.softmax(-1)) @ v_BHTK
