"""A decoder-only language model of Llama's shape: RMSNorm, rotary positions, SwiGLU, grouped-query attention, no biases.

Touvron et al. 2023 (LLaMA); Zhang and Sennrich 2019 (RMSNorm); Su et al. 2021 (RoPE); Shazeer 2020 (SwiGLU); Ainslie et al. 2023
(grouped queries); Press and Wolf 2017 (tied embeddings); Henry et al. 2020 (query-key norm). Parameter names are those of Llama
checkpoints without the prefix `model.`, and so are the halves in which a head's dimensions are rotated.

Shapes: B batch, T length, D width, H heads, G key-value heads, K width of a head, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu import messages
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.fields import Positive, PositiveInt, Rate
from danlu.nets.attention import heads, joined
from danlu.nets.dropout import Dropout, named
from danlu.nets.facts import divides, settled, tokens


def rotation(context: int, head_width: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines [context, head_width] of position times frequency; made in float64, since float32 is off by 1e-4 at 10,000."""
    frequency = theta ** (-torch.arange(0, head_width, 2, dtype=torch.float64) / head_width)
    angle = torch.outer(torch.arange(context, dtype=torch.float64), frequency).repeat(1, 2)
    return angle.cos().float(), angle.sin().float()


def rotated(x_BHTK: Tensor, cos_TK: Tensor, sin_TK: Tensor) -> Tensor:
    """Dimensions i and i + K/2 of every head turned by the position's angle; in float32 at least, returned in the type of x."""
    first, second = x_BHTK.chunk(2, dim=-1)
    return (x_BHTK * cos_TK + torch.cat([-second, first], dim=-1) * sin_TK).to(x_BHTK.dtype)


class Attention(nn.Module):
    """x_BTD -> [B, T, D]: causal self-attention, every H / G query heads sharing one key-value head."""

    def __init__(self, width: int, num_heads: int, num_kv_heads: int, qk_norm: bool, eps: float):
        super().__init__()
        self.num_heads, self.num_kv_heads = num_heads, num_kv_heads
        head = width // num_heads
        self.q_proj = nn.Linear(width, num_heads * head, bias=False)
        self.k_proj = nn.Linear(width, num_kv_heads * head, bias=False)
        self.v_proj = nn.Linear(width, num_kv_heads * head, bias=False)
        self.o_proj = nn.Linear(num_heads * head, width, bias=False)
        self.q_norm = nn.RMSNorm(head, eps=eps) if qk_norm else nn.Identity()
        self.k_norm = nn.RMSNorm(head, eps=eps) if qk_norm else nn.Identity()

    def forward(self, x_BTD: Tensor, cos_TK: Tensor, sin_TK: Tensor) -> Tensor:
        q_BHTK = rotated(self.q_norm(heads(self.q_proj(x_BTD), self.num_heads)), cos_TK, sin_TK)
        k_BGTK = rotated(self.k_norm(heads(self.k_proj(x_BTD), self.num_kv_heads)), cos_TK, sin_TK)
        v_BGTK = heads(self.v_proj(x_BTD), self.num_kv_heads)
        grouped = self.num_kv_heads != self.num_heads
        mixed_BHTK = F.scaled_dot_product_attention(q_BHTK, k_BGTK, v_BGTK, is_causal=True, enable_gqa=grouped)
        return self.o_proj(joined(mixed_BHTK))


class SwiGLU(nn.Module):
    """x_BTD -> [B, T, D]: down(silu(gate(x)) * up(x))."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.gate_proj = nn.Linear(width, hidden, bias=False)
        self.up_proj = nn.Linear(width, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, width, bias=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x_BTD)) * self.up_proj(x_BTD))


class Block(nn.Module):
    """x_BTD -> [B, T, D]: attention, then SwiGLU, each after a norm and beside a shortcut."""

    def __init__(self, width: int, num_heads: int, num_kv_heads: int, hidden: int, dropout: float, qk_norm: bool, eps: float):
        super().__init__()
        self.input_layernorm = nn.RMSNorm(width, eps=eps)
        self.self_attn = Attention(width, num_heads, num_kv_heads, qk_norm, eps)
        self.post_attention_layernorm = nn.RMSNorm(width, eps=eps)
        self.mlp = SwiGLU(width, hidden)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)

    def forward(self, x_BTD: Tensor, cos_TK: Tensor, sin_TK: Tensor) -> Tensor:
        x_BTD = x_BTD + self.dropout1(self.self_attn(self.input_layernorm(x_BTD), cos_TK, sin_TK))
        return x_BTD + self.dropout2(self.mlp(self.post_attention_layernorm(x_BTD)))


class Decoder(nn.Module):
    """tokens [B, T] int64 -> logits [B, T, V] of the next token, T at most `context`.

    Weights start normal with deviation 0.02, those that end a shortcut's branch with 0.02 / sqrt(2 depth), so that the stream's variance
    does not grow with depth (Radford et al. 2019).
    """

    deviation: ClassVar = 0.02

    def __init__(
        self,
        vocab_size: int,
        context: int,
        width: int = 256,
        depth: int = 6,
        num_heads: int = 8,
        num_kv_heads: int | None = None,
        hidden: int | None = None,
        dropout: float = 0.0,
        tied: bool = False,
        qk_norm: bool = False,
        theta: float = 10000.0,
        eps: float = 1e-5,
    ):
        super().__init__()
        self.context = context
        hidden = hidden or -(-8 * width // 3 // 32) * 32  # as many weights as two layers of 4 D, rounded up to a multiple of 32
        self.embed_tokens = nn.Embedding(vocab_size, width)
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(Block(width, num_heads, num_kv_heads or num_heads, hidden, dropout, qk_norm, eps) for _ in range(depth))
        self.norm = nn.RMSNorm(width, eps=eps)
        self.lm_head = nn.Linear(width, vocab_size, bias=False)
        if tied:
            self.lm_head.weight = self.embed_tokens.weight
        cos_TK, sin_TK = rotation(context, width // num_heads, theta)
        self.register_buffer("cos_TK", cos_TK, persistent=False)
        self.register_buffer("sin_TK", sin_TK, persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                ends = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=self.deviation / (2 * depth) ** 0.5 if ends else self.deviation)

    def forward(self, tokens: Tensor) -> Tensor:
        """Raises BadInput when T is above the context."""
        length = tokens.shape[1]
        if length > self.context:
            raise BadInput(messages.SEQUENCE_TOO_LONG, length=length, context=self.context)
        cos_TK, sin_TK = cast(Tensor, self.cos_TK)[:length], cast(Tensor, self.sin_TK)[:length]
        x_BTD = self.dropout(self.embed_tokens(tokens))
        for layer in self.layers:
            x_BTD = layer(x_BTD, cos_TK, sin_TK)
        return self.lm_head(self.norm(x_BTD))


@dataclass(frozen=True)
class GPT:
    """Decoder-only language model of Llama's shape.

    中文: 仅解码器的语言模型（Llama 结构）

    width: width of the stream ｜ 残差流的宽度（隐藏维度）
    depth: blocks ｜ 块数
    heads: attention heads of a block; they divide the width ｜ 每块的注意力头数，须整除宽度
    kv_heads: key-value heads, each shared by several heads (null: as many as heads)
        ｜ 键值头数，每个由若干注意力头共用（null：与 heads 相同）
    hidden: inner width of SwiGLU (null: 8/3 of the width, rounded up to a multiple of 32)
        ｜ SwiGLU 的内部宽度（null：宽度的 8/3，向上取到 32 的倍数）
    dropout: rate after the embedding and at the end of each branch ｜ 丢弃率，用于嵌入之后与每个残差分支末尾
    tied: whether the output layer uses the token embedding's weights ｜ 输出层是否与词元嵌入共享权重
    qk_norm: whether queries and keys are normalised, which keeps attention from saturating ｜ 是否归一化查询与键，以免注意力饱和
    theta: base of the rotary frequencies ｜ 旋转位置编码（RoPE）的频率基数
    vocab_size: tokens (null: from the data; may be larger, for a rounder size) ｜ 词表大小（null：取自数据；可以更大，以凑成更整的数）
    context: longest sequence (null: from the data; may be longer) ｜ 最大序列长度（null：取自数据；可以更长）

    Scope: 11.3
    """

    width: PositiveInt = 256
    depth: PositiveInt = 6
    heads: PositiveInt = 8
    kv_heads: PositiveInt | None = None
    hidden: PositiveInt | None = None
    dropout: Rate = 0.0
    tied: bool = False
    qk_norm: bool = False
    theta: Positive = 10000.0
    vocab_size: PositiveInt | None = None
    context: PositiveInt | None = None

    def __call__(self, facts: Facts | None = None) -> Decoder:
        """Raises BadInput when the data is no text to continue, is too much for a field, or when a size does not divide another."""
        vocab, length = tokens("gpt", facts)
        if facts is not None and facts.task != "language":
            raise BadInput(messages.NET_WRONG_TASK, model="gpt", task=facts.task, tasks="language", instead="bert")
        divides("gpt", "width", self.width, "2 * heads", 2 * self.heads)  # heads are rotated in halves
        divides("gpt", "heads", self.heads, "kv_heads", self.kv_heads or self.heads)
        return named(
            Decoder(
                settled("gpt", "vocab_size", self.vocab_size, vocab, at_least=True),
                settled("gpt", "context", self.context, length, at_least=True),
                self.width,
                self.depth,
                self.heads,
                self.kv_heads,
                self.hidden,
                self.dropout,
                self.tied,
                self.qk_norm,
                self.theta,
            )
        )
