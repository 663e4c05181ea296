"""A bidirectional encoder of text: learned positions, post-norm blocks; it classifies by its first token or fills in masked ones.

Devlin et al. 2019, "BERT: pre-training of deep bidirectional transformers". Padding is told by its token id and never looked at.

Shapes: B batch, T length, D width, H heads, K width of a head, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt, PositiveInt, Rate
from danlu.nets.attention import attend, heads, joined
from danlu.nets.dropout import Dropout, named
from danlu.nets.facts import divides, outputs, settled, tokens

DEVIATION = 0.02  # of all weights at the start


class Block(nn.Module):
    """x_BTD -> [B, T, D]: self-attention, then a GELU layer, each beside a shortcut and with a layer norm after the sum."""

    def __init__(self, width: int, num_heads: int, hidden: int, dropout: float, attention_dropout: float, eps: float):
        super().__init__()
        self.num_heads = num_heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output = nn.Linear(width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.activation = nn.GELU()
        self.attention_dropout = Dropout(attention_dropout)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)

    def forward(self, x_BTD: Tensor, mask_B11T: Tensor | None) -> Tensor:
        q_BHTK, k_BHTK, v_BHTK = (heads(part(x_BTD), self.num_heads) for part in (self.query, self.key, self.value))
        mixed_BTD = self.output(joined(attend(q_BHTK, k_BHTK, v_BHTK, self.attention_dropout, mask_B11T)))
        x_BTD = self.norm1(x_BTD + self.dropout1(mixed_BTD))
        return self.norm2(x_BTD + self.dropout2(self.fc2(self.activation(self.fc1(x_BTD)))))


class Encoder(nn.Module):
    """tokens, segments [B, T] int64 -> [B, T, D], T at most `context`. Weights start normal with deviation 0.02 (Devlin et al. 2019)."""

    def __init__(
        self,
        vocab_size: int,
        context: int,
        width: int = 256,
        depth: int = 4,
        num_heads: int = 4,
        hidden: int | None = None,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        num_segments: int = 2,
        padding: int | None = None,
        eps: float = 1e-12,
    ):
        super().__init__()
        self.context, self.padding = context, padding
        self.word_embeddings = nn.Embedding(vocab_size, width, padding_idx=padding)
        self.position_embeddings = nn.Embedding(context, width)
        self.segment_embeddings = nn.Embedding(num_segments, width)
        self.norm = nn.LayerNorm(width, eps=eps)
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(Block(width, num_heads, hidden or 4 * width, dropout, attention_dropout, eps) for _ in range(depth))

    def forward(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        """segments: which sentence of a pair a token belongs to; None is the first. Raises BadInput when T is above the context."""
        length = tokens.shape[1]
        if length > self.context:
            raise BadInput(messages.SEQUENCE_TOO_LONG, length=length, context=self.context)
        positions_T = torch.arange(length, device=tokens.device)
        segments = torch.zeros_like(tokens) if segments is None else segments
        x_BTD = self.word_embeddings(tokens) + self.position_embeddings(positions_T) + self.segment_embeddings(segments)
        x_BTD = self.dropout(self.norm(x_BTD))
        mask_B11T = None
        if self.padding is not None:
            seen_BT = (tokens != self.padding) | (positions_T == 0)  # a row of padding only still sees a token: softmax of nothing is NaN
            mask_B11T = seen_BT[:, None, None, :]
        for layer in self.layers:
            x_BTD = layer(x_BTD, mask_B11T)
        return x_BTD


class Classifier(nn.Module):
    """tokens [B, T] -> [B, num_outputs]: a tanh layer over the first token, dropout, linear."""

    deviation: ClassVar = DEVIATION

    def __init__(self, encoder: Encoder, num_outputs: int, dropout: float):
        super().__init__()
        width = encoder.norm.normalized_shape[0]
        self.encoder, self.context = encoder, encoder.context
        self.pooler, self.dropout, self.classifier = nn.Linear(width, width), Dropout(dropout), nn.Linear(width, num_outputs)
        _initialise(self)

    def forward(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        first_BD = self.encoder(tokens, segments)[:, 0]
        return self.classifier(self.dropout(self.pooler(first_BD).tanh()))


class MaskedLanguage(nn.Module):
    """tokens [B, T] -> logits [B, T, V] of the token at each place; the output layer shares the embedding's weights."""

    def __init__(self, encoder: Encoder):
        super().__init__()
        vocab_size, width = encoder.word_embeddings.weight.shape
        self.encoder, self.context = encoder, encoder.context
        self.transform, self.activation = nn.Linear(width, width), nn.GELU()
        self.norm = nn.LayerNorm(width, eps=encoder.norm.eps)
        self.decoder = nn.Linear(width, vocab_size)
        self.decoder.weight = encoder.word_embeddings.weight
        _initialise(self)

    def forward(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        return self.decoder(self.norm(self.activation(self.transform(self.encoder(tokens, segments)))))


def _initialise(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=DEVIATION)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
    for module in model.modules():  # last, as a tied output layer draws the same weights again
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            nn.init.zeros_(module.weight[module.padding_idx])


@dataclass(frozen=True)
class BERT:
    """Bidirectional encoder for classifying text or filling in masked tokens.

    中文: 双向编码器，用于文本分类或掩码语言模型

    width: width of the stream ｜ 残差流的宽度（隐藏维度）
    depth: blocks ｜ 块数
    heads: attention heads of a block; they divide the width ｜ 每块的注意力头数，须整除宽度
    hidden: inner width of a block (null: four times the width) ｜ 块内前馈层的宽度（null：宽度的四倍）
    dropout: rate after the embedding, at the end of each branch and before the classifier
        ｜ 丢弃率，用于嵌入之后、每个残差分支末尾与分类层之前
    attention_dropout: rate of the attention weights (the paper has 0.1; above 0 it needs the slower, unfused attention)
        ｜ 注意力权重的丢弃率（论文为 0.1；大于 0 时只能用较慢的非融合注意力）
    segments: kinds of segment embedding, for pairs of sentences ｜ 段嵌入的种类数，用于句子对
    head: what is read out, one answer a row or a token at each place (null: by the data's task)
        ｜ 输出什么：每行一个答案，或每个位置一个词元（null：由数据的任务决定）
    padding: token id that is never looked at (null: from the data, if it has one)
        ｜ 填充词元的编号，注意力从不看它（null：数据里有就取数据的）
    vocab_size: tokens (null: from the data; may be larger) ｜ 词表大小（null：取自数据；可以更大）
    context: longest sequence (null: from the data; may be longer) ｜ 最大序列长度（null：取自数据；可以更长）
    num_outputs: classes or target columns, for classify (null: from the data) ｜ 类别数或目标列数，用于 classify（null：取自数据）

    Scope: 11.3
    """

    width: PositiveInt = 256
    depth: PositiveInt = 4
    heads: PositiveInt = 4
    hidden: PositiveInt | None = None
    dropout: Rate = 0.1
    attention_dropout: Rate = 0.0
    segments: PositiveInt = 2
    head: Literal["classify", "masked_language"] | None = None
    padding: NonNegativeInt | None = None
    vocab_size: PositiveInt | None = None
    context: PositiveInt | None = None
    num_outputs: PositiveInt | None = None

    def __call__(self, facts: Facts | None = None) -> Classifier | MaskedLanguage:
        """Raises BadInput when the data has no tokens, is to be continued, is too much for a field, or when a size divides no other."""
        vocab, length = tokens("bert", facts)
        if facts is not None and facts.task == "language":
            tasks = "classify, multilabel, regress, masked_language"
            raise BadInput(messages.NET_WRONG_TASK, model="bert", task=facts.task, tasks=tasks, instead="gpt")
        found = None if facts is None else "masked_language" if facts.task == "masked_language" else "classify"
        head = settled("bert", "head", self.head, found)
        padding = self.padding if facts is None or facts.padding is None else settled("bert", "padding", self.padding, facts.padding)
        divides("bert", "width", self.width, "heads", self.heads)
        encoder = Encoder(
            settled("bert", "vocab_size", self.vocab_size, vocab, at_least=True),
            settled("bert", "context", self.context, length, at_least=True),
            self.width,
            self.depth,
            self.heads,
            self.hidden,
            self.dropout,
            self.attention_dropout,
            self.segments,
            padding,
        )
        if head == "masked_language":
            return named(MaskedLanguage(encoder))
        return named(Classifier(encoder, outputs("bert", "num_outputs", self.num_outputs, facts), self.dropout))
