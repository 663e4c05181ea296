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
LION_RANGE = Sentence(
    "lion needs lr >= 0, weight_decay >= 0 and both betas in [0, 1); found lr={lr}, weight_decay={weight_decay}, betas={betas}",
    "lion 要求 lr >= 0、weight_decay >= 0，且两个 beta 都在 [0, 1) 内；现在是 lr={lr}, weight_decay={weight_decay}, betas={betas}",
)
WARMUP_TOO_LONG = Sentence(
    "a warm-up of {warmup:g} steps leaves nothing of the {total} steps of the run; set a smaller warmup (below 1 it is a share of the total, "
    "0.05 say), or train for more steps",
    "预热 {warmup:g} 步已占满全部 {total} 步训练；请减小 warmup（小于 1 时表示占总步数的比例，例如 0.05），或增加训练步数",
)
