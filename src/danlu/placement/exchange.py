"""Gradients summed over processes in buckets, while backward goes on: the exchange of data-parallel training (Li et al. 2020).

The model is not wrapped. A gradient that backward has finished is copied into the flat buffer of its bucket; a full bucket is summed over
the processes at once, in the order of buckets, which is the same everywhere. Only the last micro-batch of an evaluation is exchanged, so an
objective may call the model as often as it likes, or take gradients of its own.

A parameter that some process did not reach has a gradient there too afterwards (the others' sum), and none where no process reached it:
each bucket carries one number a parameter that says who was there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass
class Bucket:
    """Parameters of one type whose gradients travel together; `flat` holds them and then one number each: how many processes have one."""

    parameters: list[nn.Parameter]
    flat: Tensor
    views: list[Tensor] = field(default_factory=list)
    there: list[Tensor] = field(default_factory=list)
    waits_for: int = 0
    work: Any = None

    @classmethod
    def of(cls, parameters: list[nn.Parameter]) -> Bucket:
        sizes = [p.numel() for p in parameters]
        flat = torch.zeros(sum(sizes) + len(sizes), dtype=parameters[0].dtype, device=parameters[0].device)
        *parts, there = flat.split([*sizes, len(sizes)])
        return cls(parameters, flat, [part.view(p.shape) for part, p in zip(parts, parameters)], list(there))


class Exchange:
    """Sums `p.grad` of every parameter over the processes of `group`; bucket_bytes: how much travels at once."""

    def __init__(self, parameters: Sequence[nn.Parameter], group: Any, bucket_bytes: float):
        self.group = group
        self.buckets = [Bucket.of(part) for part in _parted(parameters, bucket_bytes)]
        self._bucket_of = {p: bucket for bucket in self.buckets for p in bucket.parameters}
        self._armed, self._next = False, 0
        self._hooks = [p.register_post_accumulate_grad_hook(self._ready) for p in self._bucket_of]

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Inside, a gradient that backward finishes is finished for this evaluation, and may travel."""
        self._armed, self._next = True, 0
        for bucket in self.buckets:
            bucket.waits_for = len(bucket.parameters)
        try:
            yield
        finally:
            self._armed = False

    def _ready(self, parameter: Tensor) -> None:
        if not self._armed:
            return
        self._bucket_of[parameter].waits_for -= 1  # type: ignore[index]
        while self._next < len(self.buckets) and self.buckets[self._next].waits_for == 0:
            self._send()

    def _send(self) -> None:
        bucket = self.buckets[self._next]
        self._next += 1
        pairs = [(view, p.grad) for view, p in zip(bucket.views, bucket.parameters) if p.grad is not None]
        bucket.flat.zero_() if len(pairs) < len(bucket.views) else None
        if pairs:
            torch._foreach_copy_([view for view, _ in pairs], [grad for _, grad in pairs])
        for mark, p in zip(bucket.there, bucket.parameters):
            mark.fill_(0.0 if p.grad is None else 1.0)
        bucket.work = dist.all_reduce(bucket.flat, group=self.group, async_op=True)

    def finish(self) -> None:
        """Send what backward did not reach, wait for everything, and put the sums into `p.grad`."""
        while self._next < len(self.buckets):
            self._send()
        for bucket in self.buckets:
            bucket.work.wait()
            bucket.work = None
            here = [(p.grad, view) for p, view in zip(bucket.parameters, bucket.views) if p.grad is not None]
            if here:
                torch._foreach_copy_([grad for grad, _ in here], [view for _, view in here])
            for p, view, mark in zip(bucket.parameters, bucket.views, bucket.there):
                if p.grad is None and bool(mark > 0):
                    p.grad = view.clone()

    def close(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self.buckets, self._bucket_of = [], {}


def _parted(parameters: Sequence[nn.Parameter], bucket_bytes: float) -> Iterator[list[nn.Parameter]]:
    """The parameters from the last to the first, as backward finishes them, in buckets of one type each."""
    kinds: dict[tuple[torch.dtype, torch.device], list[nn.Parameter]] = {}
    for p in reversed(parameters):
        waiting = kinds.setdefault((p.dtype, p.device), [])
        if waiting and sum(q.nbytes for q in waiting) + p.nbytes > bucket_bytes:
            yield waiting
            waiting = kinds[p.dtype, p.device] = []
        waiting.append(p)
    yield from kinds.values()
