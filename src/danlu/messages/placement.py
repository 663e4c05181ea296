"""Sentences of placement."""

from __future__ import annotations

from danlu.errors import Sentence

NO_DEVICE = Sentence(
    "device=`{wish}` is not on this machine; found: {found}. Set device to one of these, or to auto",
    "本机没有设备 device=`{wish}`；现有：{found}。请把 device 设为其中之一，或设为 auto",
)
LESS_THAN_A_BATCH = Sentence(
    "the training data has {rows} rows, less than one batch of {batch_size}; set batch_size to at most {rows}",
    "训练数据只有 {rows} 行，不足一个批次（{batch_size}）；请把 batch_size 设为不超过 {rows}",
)
ONE_ROW = Sentence(
    "{rows} rows in groups of {batch_size} leave one row over, and BatchNorm ({layer}) cannot be trained on a single row; choose another "
    "batch_size, so that no row is left alone",
    "{rows} 行按每组 {batch_size} 行划分会剩下一行，而 BatchNorm（{layer}）无法只用一行训练；请换一个 batch_size，使最后不会只剩一行",
)
WEIGHT_DIFFERS = Sentence(
    "the saved tensor `{name}` has shape {saved}, the model has {found}; use the model the weights were saved from",
    "保存的张量 `{name}` 形状为 {saved}，模型中为 {found}；请使用保存这些权重时的模型",
)
