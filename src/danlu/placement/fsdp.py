"""Fully sharded data parallel: each process holds a part of every weight, of its gradient and of the optimiser's state.

torch's fully_shard (FSDP2) gathers the weights of a block just before it works, and sums its gradients into parts just after. What is here
is what it leaves open: sums instead of means, gradients that some processes do not have, looks that would leave weights gathered, losses
that do not call the model as a whole, optimisers that must see whole matrices, and a state that any other placement can load.

The whole model's own group (what is in no block) is gathered before a loss is taken and summed after all of them, by us and not by a hook,
so that a loss may call other methods of the model, or its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn

from danlu import messages
from danlu.errors import Refused
from danlu.fields import PositiveInt
from danlu.placement import shards
from danlu.placement.base import DOUBLE_BACKWARD, EVERYTHING, WHOLE_MATRIX
from danlu.placement.blocks import blocks, divisible
from danlu.placement.exchange import Exchange
from danlu.placement.spmd import Spmd
from danlu.placement.twins import Twins

if TYPE_CHECKING:
    from danlu.core import Batch, Gradient

MIXED = "got mixed torch.Tensor and DTensor"  # what torch says when a layer works whose weights were not gathered


@dataclass
class FSDP(Spmd):
    """Fully sharded data parallel: weights, gradients and the optimiser's state are divided over the processes (Zhao et al. 2023).

    An optimiser that looks at whole matrices steps on whole copies, and keeps a whole state on every process. Each process builds the whole
    model before it is divided; to save, tensors are made whole on every process one by one, and the first keeps and writes them.

    shard: processes that share one copy of the weights, a divisor of their number (null: all of them); fewer hold several copies (hybrid)
        ｜ 共享一份权重的进程数，须整除总进程数（null：全部）；更少则保存多份副本（混合分片）
    reshard: free a block's weights between its forward and its backward; false keeps them, for fewer exchanges
        ｜ 前向之后、反向之前是否释放块的权重；false 则保留，通信更少
    blocks: gather each repeated block when it works; false gathers the whole model, for a loss that goes past the forward of its blocks
        ｜ 是否在每个重复的块工作时才收集其权重；false 则整个模型一起收集，供绕过块的 forward 的损失使用
    traffic: the type in which weights travel and work; bf16 halves what is sent (gradients are summed in float32)
        ｜ 权重以何种类型传输和参与计算；bf16 使传输量减半（梯度以 float32 求和）

    中文: 全分片数据并行：权重、梯度与优化器状态分到各进程，各模块在计算前临时聚合。

    中文: 需要看到整个矩阵的优化器在完整副本上更新，每个进程都保存完整的状态。每个进程先构造整个模型，再切分；
    保存时各张量逐个在每个进程上聚合完整，由第一个进程保留并写出。
    Scope: 4.2, 4.7
    """

    shard: PositiveInt | None = None
    reshard: bool = True
    blocks: bool = True
    traffic: Literal["stored", "bf16"] = "stored"

    _model = None  # type: Any  # the root of what fully_shard made
    _twins = None  # type: Twins | None
    _exchange = None  # type: Exchange | None

    def place(self, model: nn.Module) -> nn.Module:
        model = super().place(model)
        if self.world > 1:
            self.parted = self.joint = True
            self.offers = EVERYTHING - {WHOLE_MATRIX, DOUBLE_BACKWARD}  # type: ignore[misc]
            self._divide(model)
        return model

    def _divide(self, model: nn.Module) -> None:
        from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

        if not hasattr(FSDPModule, "set_reduce_scatter_unused_params"):
            raise Refused(messages.FSDP_TOO_OLD, found=torch.__version__)
        divisible(model)
        self._mesh = shards.mesh(self.device.type, self.world, self.shard or self.world)
        alone = {p for p in model.parameters() if p.ndim == 0}  # a number cannot be divided
        for p in model.parameters():
            p.data = p.data.contiguous()
        policy = MixedPrecisionPolicy(torch.bfloat16, torch.float32) if self.traffic == "bf16" else MixedPrecisionPolicy()
        settings: dict[str, Any] = {"mesh": self._mesh, "mp_policy": policy, "ignored_params": alone}
        self._model = model
        self._units: list[Any] = [*blocks(model), model] if self.blocks else [model]
        for unit in self._units:
            name = type(unit).__name__
            fully_shard(unit, reshard_after_forward=self.reshard and unit is not model, **settings)
            type(unit).__name__ = name  # the class that torch makes of it; a sentence that names a model's class names the user's
        for unit in self._units:
            unit.set_gradient_divide_factor(1.0)  # gradients are summed: the seeds of backward are 1 / the global count
            unit.set_force_sum_reduction_for_comms(True)
        self._model.set_reduce_scatter_unused_params(True)  # what this process did not reach, another may have
        self._model._get_fsdp_state()._lazy_init()  # the model is the root, whatever a loss calls first
        self._own_group = self._model._get_fsdp_state()._fsdp_param_groups
        self._whole = [one for unit in self._units for group in unit._get_fsdp_state()._fsdp_param_groups for one in group.fsdp_params]
        self._parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._reached: set[str] = set()
        self._watch()
        self._exchange = Exchange([p for p in alone if p.requires_grad], None, 2**20)

    def _watch(self) -> None:
        """Note which weights a backward reaches: as part of a layer that works, whole, or by themselves, as the part that they are."""
        for unit in self._units:
            unit.unshard()
        for name, p in self._model.named_parameters():
            if p.requires_grad and p.ndim:
                p.register_post_accumulate_grad_hook(lambda _, name=name: self._reached.add(name))
        self._closed()
        for name, p in self._parameters.items():
            if p.ndim:
                p.register_hook(lambda _, name=name: self._reached.add(name))

    # ---- a look ----

    def opened(self, model: nn.Module) -> None:
        if self.parted:
            self._model.unshard()

    def _closed(self) -> None:
        """The model holds parts again: what is gathered is of the weights that were, and does not move with them."""
        for unit in self._units:
            unit.reshard()

    @contextmanager
    def sync(self, model: nn.Module, last: bool) -> Iterator[None]:
        if not self.parted:
            yield
            return
        self._model.set_requires_gradient_sync(last)
        self._model.set_requires_gradient_sync(False, recurse=False)  # its own group comes last, in `_finish`
        self.opened(model)
        with self._exchange.armed() if last and self._exchange else nullcontext():
            yield

    def gradient(self, model: nn.Module) -> Gradient:
        found = super().gradient(model)
        if not self.parted:
            return found

        def gradient(*args: Any) -> Any:
            self._reached.clear()
            try:
                return found(*args)
            except RuntimeError as error:
                if MIXED not in str(error):
                    raise
                raise Refused(messages.PAST_FORWARD, reason=" ".join(str(error).split())[:120]) from error

        return gradient

    def _backward(self, terms: dict[str, tuple[Tensor, str]], counts: dict[str, Any], batch: Batch, sums: dict[str, Any]) -> None:
        for name, (value, _) in terms.items():
            if shards.is_parted(value):
                raise Refused(messages.LOSS_OF_PARTS, term=name)
        super()._backward(terms, counts, batch, sums)

    def _finish(self, sums: dict[str, tuple[Tensor, str]]) -> None:
        if not self.parted:
            return super()._finish(sums)
        self._model.set_requires_gradient_sync(True, recurse=False)
        for group in self._own_group:
            with group.use_training_state(group._training_state):
                group.post_backward()
            group.finalize_backward()
            group.comm_ctx.reduce_scatter_states.clear()
        if any(one._unsharded_param.grad is not None or one.unsharded_accumulated_grad is not None for one in self._whole):
            raise Refused(messages.LEFT_BEHIND)
        if self._exchange:
            self._exchange.finish()
        self._closed()
        parts = {name: p for name, p in self._parameters.items() if p.ndim}
        for name, p in self._parameters.items():
            if p.ndim == 0 and p.grad is not None:
                self._reached.add(name)
        here = torch.tensor([float(name in self._reached) for name in parts], dtype=torch.float64, device=self.device)
        losses = torch.stack([value for value, _ in sums.values()]).to(here)
        found = self.precision.unscale(self.local([p.grad for p in self._parameters.values() if p.grad is not None]), [])
        flat = self._all_reduced(torch.cat([losses, found.to(here)[None], here]))
        totals, self._found, there = flat[: len(losses)], flat[len(losses)].to(found), flat[len(losses) + 1 :]
        for total, (name, (value, per)) in zip(totals, sums.items()):
            sums[name] = (total.to(value.dtype), per)
        if len(self._reached & parts.keys()) < len(parts):  # nothing is read from the device otherwise
            for p, count in zip(parts.values(), there.tolist()):
                if count == 0:
                    p.grad = None

    def _checked(self, parameters: Sequence[nn.Parameter], losses: list[Tensor]) -> Tensor:
        return self._found + self.precision.overflow(losses) if self.parted else super()._checked(parameters, losses)

    def overflow(self, parameters: Sequence[nn.Parameter]) -> Tensor:
        grads = [shards.by_rows(p.grad) if shards.is_parted(p.grad) else p.grad for p in parameters if p.grad is not None]
        found: Tensor = self.sum(self.precision.overflow(self.local(grads)))
        return found

    def _broken_off(self) -> None:
        if self.parted:
            self._model.reset_iter_state()
            for one in self._whole:  # what was accumulated is of this evaluation
                one._unsharded_param.grad = one.unsharded_accumulated_grad = None

    @contextmanager
    def aside(self) -> Iterator[None]:
        with super().aside():
            if not self.parted:
                yield
                return
            self._model.set_requires_gradient_sync(False)
            try:
                yield
            finally:
                self._closed()

    @contextmanager
    def whole(self, model: nn.Module) -> Iterator[list[nn.Parameter]]:
        if not self.parted:
            with super().whole(model) as own:
                yield own
            return
        self._model.set_requires_gradient_sync(False)
        for unit in self._units:
            unit.set_reshard_after_forward(False, recurse=False)
            unit.set_reshard_after_backward(False, recurse=False)
            unit.unshard()
        try:
            yield [p for p in model.parameters() if p.requires_grad]
        finally:
            for unit in self._units:
                unit.set_reshard_after_forward(self.reshard and unit is not self._model, recurse=False)
                unit.set_reshard_after_backward(True, recurse=False)
            self._model.reset_iter_state()

    # ---- verbs ----

    def _over_parts(self, value: Tensor) -> Tensor:
        """The sum over the processes that together hold one copy of the weights."""
        value = value.detach().clone()
        dist.all_reduce(value, group=self._mesh.get_group("shard"))
        return value

    def norm(self, tensors: Sequence[Tensor]) -> Tensor:
        parts = self.local([shards.by_rows(tensor) for tensor in tensors if shards.is_parted(tensor)])
        if not parts:
            return super().norm(tensors)
        mine = nn.utils.get_total_norm(parts)
        mesh = self._mesh["shard"]
        norms = mine.new_zeros(mesh.size())
        norms[mesh.get_local_rank()] = mine
        others = [tensor for tensor in tensors if not shards.is_parted(tensor)]
        found: Tensor = torch.linalg.vector_norm(torch.cat([self._over_parts(norms), super().norm(others).to(norms)[None]]))
        return found

    def dot(self, left: Sequence[Tensor], right: Sequence[Tensor]) -> Tensor:
        pairs = list(zip(left, right, strict=True))
        parts = [(shards.held(shards.by_rows(a)), shards.held(shards.by_rows(b))) for a, b in pairs if shards.is_parted(a)]
        if not parts:
            return super().dot(left, right)
        found = self._over_parts(torch.stack([torch.sum(a * b) for a, b in parts]).sum())
        others = [torch.sum(a * b) for a, b in pairs if not shards.is_parted(a)]
        return found + torch.stack(others).sum() if others else found

    def full(self, tensor: Tensor) -> Tensor:
        return shards.together([tensor])[0]

    def share(self, whole: Tensor, like: Tensor) -> Tensor:
        if not shards.is_parted(like) or shards.is_parted(whole):
            return whole
        return shards.like(shards.part(whole, like).contiguous(), like)

    def local(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        if any(shards.is_parted(tensor) and shards.by_rows(tensor) is not tensor for tensor in tensors):
            raise ValueError("what this process holds of a tensor that does not lie in rows, as weights do, is no part of it")
        return [shards.held(tensor) for tensor in tensors]

    def total(self, value: Tensor) -> Tensor:
        if not self.parted:
            return value
        return shards.Joined.apply(value, self._over_parts, self.sum)  # type: ignore[no-any-return]

    # ---- the optimiser and the state ----

    def optimizer(self, wish: Callable[[Iterable[Any]], torch.optim.Optimizer], entries: Iterable[Any]) -> torch.optim.Optimizer:
        if not self.parted:
            return super().optimizer(wish, entries)
        self._twins = Twins(wish, entries)
        return self._twins.optimizer

    def step(self, optimizer: torch.optim.Optimizer, closure: Callable[[], Any] | None = None) -> None:
        self._twins.step(closure) if self._twins else super().step(optimizer, closure)

    def states(self, optimizer: torch.optim.Optimizer) -> Mapping[Tensor, dict[str, Any]]:
        return self._twins.states() if self._twins else super().states(optimizer)

    def keep(self, optimizer: torch.optim.Optimizer, p: Tensor, values: dict[str, Any]) -> None:
        self._twins.keep(p, values) if self._twins else super().keep(optimizer, p, values)

    def gathered(self, tree: Any) -> Any:
        def made(tensor: Tensor) -> Tensor | None:
            found = self.full(tensor)
            return found.cpu() if self._keeps else None

        return shards.mapped(made, tree)

    def spread(self, tree: Any, model: nn.Module) -> Any:
        return self._spread(tree, self.named(model)) if self.parted else tree

    def _spread(self, tree: Any, own: dict[str, Tensor]) -> Any:
        if not isinstance(tree, dict):
            return tree
        return {
            key: self.share(value, own[key]).clone()
            if isinstance(value, Tensor) and key in own and own[key].shape == value.shape
            else self._spread(value, own)
            for key, value in tree.items()
        }

    def put_in(self, own: Tensor, value: Tensor) -> None:
        shards.held(own).copy_(shards.held(self.share(value, own)))

    def load_weights(self, model: nn.Module, weights: dict[str, Tensor]) -> None:
        if self.parted:
            self._closed()
        super().load_weights(model, weights)

    def close(self) -> None:
        if self._exchange:
            self._exchange.close()
        super().close()
        for name in ("_model", "_units", "_parameters", "_own_group", "_whole"):
            self.__dict__.pop(name, None)
        self._twins = None
