"""Activation checkpointing: compute activations again in the backward pass instead of keeping them (Chen et al. 2016, "Training deep nets
with sublinear memory cost").

What a block of the model computes on its way to its output is dropped after the forward pass, all but its input, and computed again when
the backward pass gets there: with the same random numbers, so gradients are the same bits.

Formula: bytes kept: n·(a + b) becomes n·a + b for n blocks, each with an input of a bytes and b bytes inside; time: forward runs twice
When it helps: activations, not weights, fill the memory: long sequences, large images, deep nets, large micro-batches.
What it costs: up to one more forward pass, about a third of the step's time; less with `keep=products` or a `budget`.
When not to use it: where a smaller micro_batch_size fits, and the hardware is busy with it too: that costs no arithmetic.
Failure signals: the step is slower and no larger micro-batch fits: weights and the optimiser's state are what fills the memory.
Interactions: nothing else sees a difference; techniques that differentiate twice, or look several times, recompute as often.

原理: 激活重算（activation checkpointing）：前向只保留每个块的输入，块内激活用完即丢，反向到达时用同样的随机数重新计算，因此梯度逐位不变。
公式: 保留的字节：n 个块、每块输入 a 字节、内部 b 字节时，由 n·(a + b) 变为 n·a + b；时间：前向计算两遍
何时有用: 占满内存的是激活而不是权重：长序列、大图像、深网络、大微批。
代价: 最多多做一次前向，约为一步时间的三分之一；用 `keep=products` 或 `budget` 则更少。
何时不用: 减小 micro_batch_size 就能放下、硬件也仍能吃满时：那样不增加任何计算。
失效信号: 一步变慢了，却放不下更大的微批：占满内存的是权重和优化器状态。
相互作用: 其他技巧看不出差别；要二次求导或多次求值的技巧，每次都会重算。

Scope: 5.11
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import CheckpointPolicy, checkpoint, create_selective_checkpoint_contexts

from danlu.core import Gradient, Run, Technique
from danlu.cost import Activations
from danlu.errors import Refused, Sentence
from danlu.fields import Range
from danlu.keys import Keyed

MIB = 1 << 20
ATTENTION = ("flash_attention_for_cpu", "flash_attention", "efficient_attention", "cudnn_attention")
PRODUCTS = {
    getattr(torch.ops.aten, name).default
    for name in ("mm", "addmm", "bmm", "baddbmm", "convolution", *(f"_scaled_dot_product_{kind}" for kind in ATTENTION))
    if hasattr(torch.ops.aten, name)
}

NO_BLOCK = Sentence(
    "activation_checkpointing found nothing to compute again: the model has no nn.Sequential, and no nn.ModuleList of blocks; leave it "
    "out, or build the model from such blocks",
    "activation_checkpointing 没有找到可重算的块：模型中没有 nn.Sequential，也没有由块组成的 nn.ModuleList；请去掉它，或用这样的块构造模型",
)
PARTS = Sentence(
    "activation_checkpointing(keep=products) cannot give back what it kept where weights lie in parts (fsdp), since they are gathered "
    "inside the block; use keep=nothing, or placement=ddp or zero",
    "权重分片时（fsdp）会在块内收集权重，activation_checkpointing(keep=products) 无法取回保留的结果；"
    "请用 keep=nothing，或 placement=ddp、zero",
)


@dataclass
class ActivationCheckpointing(Technique):
    """Compute the activations inside the model's blocks again in the backward pass, instead of keeping them.

    budget: MiB of a micro-batch's activations that may be kept: the largest blocks are computed again until no more are; .inf keeps all
        ｜ 一个微批的激活最多保留多少 MiB：从最大的块开始重算，直到不超过为止；.inf 表示全部保留
    keep: what a block that is computed again keeps nevertheless (`budget` does not count it): nothing, or the results of matrix products,
        convolutions and attention ｜ 被重算的块仍然保留什么（不计入 budget）：什么都不留，或保留矩阵乘、卷积与注意力的结果
    中文: 激活重算：反向时重新计算各块内部的激活，而不是一直保留。
    """

    budget: Annotated[float, Range(0)] = 0.0
    keep: Literal["nothing", "products"] = "nothing"

    neutral: ClassVar = {"budget": math.inf}
    changes: ClassVar = "memory"

    def wrap_model(self, model: nn.Module, run: Run) -> nn.Module:
        self._blocks = list(_blocks(model))
        if not self._blocks:
            raise Refused(NO_BLOCK)
        if self.budget == 0:
            self._again(self._blocks)
        return model

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        if self.keep == "products" and run.placement.parted:
            raise Refused(PARTS)
        if 0 < self.budget < math.inf:
            self._again(_largest(run, self._blocks, self.budget * MIB))
        return gradient

    def _again(self, blocks: list[nn.Module]) -> None:
        for block in blocks:
            block.__class__ = _recomputing(type(block))  # type: ignore[arg-type]
            block.kept_products = self.keep == "products"  # type: ignore[assignment]


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    """The outermost blocks: children with layers of their own in a Sequential or a ModuleList; else a Sequential of layers as a whole."""
    if isinstance(module, nn.Sequential | nn.ModuleList):
        inner = [child for child in module if len(list(child.children()))]
        yield from inner
        if isinstance(module, nn.Sequential) and not inner and len(module) > 1:
            yield module
    else:
        for child in module.children():
            yield from _blocks(child)


def _largest(run: Run, blocks: list[nn.Module], budget: float) -> list[nn.Module]:
    """The fewest blocks without whose insides the first micro-batch keeps at most `budget` bytes; all of them if that does not suffice."""
    batch = run._take(iter(run.placement.stream(run.data.train, run.plan, 0, 1)))[0]
    inside, before = dict.fromkeys(blocks, 0), dict[nn.Module, int]()

    def enter(block: nn.Module, args: Any) -> None:
        before[block] = kept.bytes

    def leave(block: nn.Module, args: Any, output: Any) -> None:
        inside[block] += kept.bytes - before[block]

    hooks = [hook for block in blocks for hook in (block.register_forward_pre_hook(enter), block.register_forward_hook(leave))]
    try:
        with run.placement.aside(), run.placement.precision.autocast(), Activations(run.model, batch) as kept:
            run.objective(run.model, batch)
    finally:
        for hook in hooks:
            hook.remove()
    chosen, left = [], kept.bytes
    for block in sorted(blocks, key=lambda block: -inside[block]):
        if left <= budget:
            break
        chosen.append(block)
        left -= inside[block]
    return chosen


@functools.cache
def _recomputing(kind: type[nn.Module]) -> type[nn.Module]:
    """The class of a block that computes its activations again; of a plain Sequential, in about sqrt(n) parts of its n layers."""

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        whole = functools.partial(kind.forward, self)
        if not (self.training and torch.is_grad_enabled()):
            return whole(*args, **kwargs)
        contexts = functools.partial(_contexts, self.kept_products)
        if kind is not nn.Sequential:
            return checkpoint(whole, *args, use_reentrant=False, context_fn=contexts, **kwargs)
        size = math.ceil(math.sqrt(len(self)))
        for start in range(0, len(self), size):
            args = (checkpoint(_through, list(self)[start : start + size], *args, use_reentrant=False, context_fn=contexts),)
        return args[0]

    return type(kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__})


def _through(layers: list[nn.Module], x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x


def _contexts(kept_products: bool) -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """What surrounds the forward pass of a block, and its repetition."""
    first, second = create_selective_checkpoint_contexts(_policy) if kept_products else (nullcontext(), nullcontext())
    return first, Again(second)


class Again:
    """Around the repetition of what goes on when this is made: it draws the same. Whoever differentiates twice enters twice."""

    def __init__(self, kept: AbstractContextManager[Any]):
        self._kept = kept  # gives back what was kept, once
        self._then = Keyed.seed, Keyed.step, Keyed.ids, dict(Keyed.calls)

    def __enter__(self) -> None:
        self._now = Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls
        Keyed.seed, Keyed.step, Keyed.ids, calls = self._then
        Keyed.calls = dict(calls)
        self._inner, self._kept = self._kept, nullcontext()
        self._inner.__enter__()

    def __exit__(self, *error: Any) -> None:
        Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls = self._now
        self._inner.__exit__(*error)


def _policy(context: Any, operator: Any, *args: Any, **kwargs: Any) -> CheckpointPolicy:
    return CheckpointPolicy.MUST_SAVE if operator in PRODUCTS else CheckpointPolicy.PREFER_RECOMPUTE
