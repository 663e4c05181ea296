"""Sentences of optim."""

from __future__ import annotations

from danlu.errors import Sentence

NESTEROV = Sentence(
    "sgd(nesterov=true) needs a momentum above 0 and a dampening of 0; found momentum={momentum}, dampening={dampening}; set momentum=0.9 "
    "and dampening=0, or nesterov=false",
    "sgd(nesterov=true) 要求 momentum 大于 0 且 dampening 为 0；现在是 momentum={momentum}, dampening={dampening}；"
    "请设 momentum=0.9、dampening=0，或设 nesterov=false",
)
NO_FUSED = Sentence(
    "fused=on, but torch has no correct fused {optimizer} for the parameter `{name}` ({dtype} on {device}); set fused=auto",
    "设置了 fused=on，但对参数 `{name}`（{device} 上的 {dtype}），torch 没有正确的 {optimizer} 融合实现；请设 fused=auto",
)
SPARSE = Sentence(
    "{optimizer} cannot take the sparse gradients of the embedding `{name}`; make it with sparse=False, or set "
    "optimizer=sgd(momentum=0) or optimizer=adagrad",
    "{optimizer} 不支持嵌入层 `{name}` 的稀疏梯度；请以 sparse=False 构建该层，或改用 optimizer=sgd(momentum=0) 或 optimizer=adagrad",
)
SPARSE_GRADIENT = Sentence(
    "{optimizer} cannot take the sparse gradient of a parameter of shape {shape}; make its embedding with sparse=False",
    "{optimizer} 不支持稀疏梯度（参数形状 {shape}）；请以 sparse=False 构建相应的嵌入层",
)
COMPLEX = Sentence(
    "the parameter `{name}` is complex, and training handles real numbers only; keep its real and imaginary parts as two real parameters "
    "(torch.view_as_real)",
    "参数 `{name}` 是复数，而训练只支持实数；请把实部与虚部存成实数参数（torch.view_as_real）",
)
NO_HIDDEN_MATRIX = Sentence(
    "{optimizer} trains the matrices of hidden layers, and this model has none; set optimizer=adamw",
    "{optimizer} 训练的是隐藏层的矩阵，而该模型没有这样的矩阵；请设 optimizer=adamw",
)
WARMUP_TOO_LONG = Sentence(
    "a warm-up of {warmup:g} steps leaves nothing of the {total} steps of the run; set a smaller warmup (below 1 it is a share of the total, "
    "0.05 say), or train for more steps",
    "预热 {warmup:g} 步已占满全部 {total} 步训练；请减小 warmup（小于 1 时表示占总步数的比例，例如 0.05），或增加训练步数",
)
