"""Where the model lives, and how its gradient is evaluated there: the innermost objective, gradient and evaluation.

A placement is a description; `start` makes the live copy that a run owns. Every reduction that a technique may need is one of its verbs,
which take the axis to reduce over, so a technique never talks to a process group. One process is a world of one, on the same code path.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.errors import BadInput, Refused, Sentence, say
from danlu.keys import Keyed, mix
from danlu.placement import device as devices
from danlu.placement.buffers import Buffers
from danlu.placement.memory import glanced, looked, parts
from danlu.placement.norms import synced
from danlu.placement.order import Plan, fetched
from danlu.placement.precision import Name, Precision

if TYPE_CHECKING:
    from danlu.core import Batch, Gradient, Loss, Objective, Outcome, Recipe, Run
    from danlu.losses.criterion import Criterion

FINISHED_GRADIENT = "finished gradient"  # p.grad is complete, unscaled and reduced when a gradient technique sees it
WHOLE_MATRIX = "whole matrix"  # a parameter and its gradient are whole on this process
MODEL_TWICE = "model twice"  # an objective may call the model more than once
INPUTS = "inputs"  # an objective may read and change the inputs
DOUBLE_BACKWARD = "double backward"  # gradients of gradients
CHANGING_TRAINABLE = "trainable changes"  # the set of parameters that move may change during the run

EVERYTHING = frozenset({FINISHED_GRADIENT, WHOLE_MATRIX, MODEL_TWICE, INPUTS, DOUBLE_BACKWARD, CHANGING_TRAINABLE})


class Placement:
    """What every placement does; a subclass is a dataclass of plain values, and `start` makes the live copy that one run owns."""

    offers: ClassVar[frozenset[str]] = EVERYTHING
    world: int = 1
    rank: int = 0

    device: torch.device
    precision: Precision
    buffers: Buffers
    step_rows: int | None = None  # rows of a micro-batch that fit in memory together, once that was found out; see `memory`
    look_rows: int | None = None  # and outside a step, where no gradient is taken
    _generator: torch.Generator
    _seeds: dict[float, Tensor]

    def start(self, device: str, precision: Name) -> Self:
        live = copy.copy(self)
        live.device = devices.choose(device)
        live.precision = Precision(precision, live.device)
        live._generator = devices.default_generator(live.device)
        live._seeds = {}
        return live

    def notice(self, event: str, sentence: Sentence, **values: Any) -> None:
        """Where it says what it had to change while training; whoever runs the run may put something else in its place."""
        warnings.warn(say(sentence, **values), stacklevel=2)

    # ---- verbs ----

    def sum(self, value: Any, over: str = "data") -> Any:
        """`value` (a tensor or a number) summed over the processes of an axis."""
        return value

    def most(self, value: int) -> int:
        """The largest `value` of all processes."""
        return value

    def everyone(self, value: Any) -> list[Any]:
        """The plain values (what JSON can hold) of all processes, by rank."""
        return [value]

    def norm(self, tensors: Sequence[Tensor]) -> Tensor:
        """The Euclidean norm of all elements of `tensors` together, whole on every process: a 0-d tensor."""
        return nn.utils.get_total_norm(list(tensors))

    def dot(self, left: Sequence[Tensor], right: Sequence[Tensor]) -> Tensor:
        """The inner product of two lists of tensors, whole on every process: a 0-d tensor."""
        return torch.stack([torch.sum(a * b) for a, b in zip(left, right, strict=True)]).sum()

    def gather(self, pieces: list[Tensor]) -> Tensor:
        """The rows of all processes in the order of the data; pieces: one [rows, ...] for each slot that this process looked at."""
        return torch.cat(pieces)

    def full(self, tensor: Tensor) -> Tensor:
        """The whole of a tensor that may be sharded."""
        return tensor

    # ---- the model ----

    def place(self, model: nn.Module) -> nn.Module:
        """The model where it will be trained: stored type first, since moving halves what must not be rounded twice; then the device."""
        if self.world > 1:  # before anything looks at the buffers: the synchronised ones are the same tensors
            model = synced(model, self.sum)
        model = self.precision.store(model).to(self.device).train()
        self.buffers = Buffers(model)
        return model

    def sync(self, model: nn.Module, last: bool) -> AbstractContextManager[Any]:
        """Around one micro-batch: gradients are exchanged in the last one only."""
        return nullcontext()

    def overflow(self, parameters: Sequence[nn.Parameter]) -> Tensor:
        """A 0-d float tensor that is zero when every gradient in `p.grad` is finite; nothing is read from the device."""
        return self.precision.overflow([p.grad for p in parameters if p.grad is not None])

    # ---- the data ----

    def plan(self, rows: Any, recipe: Recipe) -> Plan:
        if len(rows) < recipe.batch_size:
            raise BadInput(messages.LESS_THAN_A_BATCH, rows=len(rows), batch_size=recipe.batch_size)
        return Plan(len(rows), recipe.batch_size, recipe.micro_batch_size, recipe.seed)

    def put(self, tree: Any) -> Any:
        """Inputs or targets on the device, floats in the stored type."""
        tree = devices.to(tree, self.device) if self.device.type != "cpu" else tree
        return _mapped(self.precision.cast, tree) if self.precision.name == "fp64" else tree

    def stream(self, rows: Any, plan: Plan, start: int, stop: int) -> Iterator[Batch]:
        """This process's micro-batches of steps `start` to `stop`."""
        from danlu.core import Batch

        slots = (slot for step in range(start, stop) for slot in plan.shard(step, self.rank, self.world))
        for slot, inputs, targets in fetched(rows, plan, slots):
            ids, counts = devices.to(slot.ids, self.device), {"rows": 0 if slot.empty else len(slot.ids)}
            yield Batch(self.put(inputs), self.put(targets), ids, slot.step, slot.place, slot.last, counts)

    def fitted(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """The micro-batches in parts that fit in memory."""
        rows = self.step_rows
        return stream if rows is None else (part for batch in stream for part in parts(batch, rows))

    def looked(self, run: Run, batches: list[Batch]) -> Outcome:
        """One evaluation of a step's gradient, whose micro-batches are cut where they do not fit in memory. Raises NoMemory."""
        return looked(run, batches)

    # ---- the innermost objective and gradient ----

    def keyed(self, objective: Objective, seed: int) -> Objective:
        """The objective under this micro-batch's random key, so that asking again in the same step draws the same numbers."""
        manual_seed, base = self._generator.manual_seed, mix(seed, "evaluation")

        def evaluate(model: nn.Module, batch: Batch) -> Loss:
            Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls = seed, batch.step, batch.ids, {}
            manual_seed((base + (batch.step << 20) + batch.place) & 0x7FFFFFFFFFFFFFFF)
            return objective(model, batch)

        return evaluate

    def begin(self) -> None:
        """A step begins: the next evaluation is the one that moves the buffers."""
        self.buffers.begin()

    def finish(self, finite: bool) -> None:
        """A step ends: what must move once a step moves now, if the numbers were finite."""
        if finite:
            self.buffers.commit()
        self.precision.adapt(finite)

    def gradient(self, model: nn.Module) -> Gradient:
        """Sum every term over all micro-batches and processes, divided once by its own global count, into `p.grad`."""
        from danlu.core import Outcome

        parameters = [p for p in model.parameters() if p.requires_grad]
        precision, buffers = self.precision, self.buffers
        tracked = bool(buffers.all)

        def gradient(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            for p in parameters:
                p.grad = None
            counts = self._counts(batches)
            sums: dict[str, tuple[Tensor, str]] = {}
            if tracked:
                buffers.watch()
            try:
                for batch in batches:
                    with self.sync(model, batch.last):
                        with precision.autocast():
                            terms = objective(model, batch).terms
                        self._backward(terms, counts, batch, sums)
                    if tracked:
                        buffers.collect(float(batch.counts["rows"]))
            except BaseException:
                if tracked:
                    buffers.undo()
                raise
            finally:  # whoever interrupts a step must not leave its random key behind
                Keyed.ids = None
            self._finish(sums)
            if tracked:
                buffers.settle(self.sum)
            losses = [value for value, _ in sums.values() if value.is_floating_point()]
            overflow = precision.unscale([p.grad for p in parameters if p.grad is not None], losses)
            return Outcome(sums, counts, overflow, precision.scale)

        return gradient

    def _backward(self, terms: dict[str, tuple[Tensor, str]], counts: dict[str, Any], batch: Batch, sums: dict[str, Any]) -> None:
        """Backward from each term with the gradient 1 / count as its seed: no division enters the graph."""
        roots, grads = [], []
        present = batch.counts["once"]
        for name, (value, per) in terms.items():
            if per not in counts:
                raise BadInput(messages.NO_DENOMINATOR, term=name, name=per, found=", ".join(counts))
            if value.requires_grad:
                roots.append(value)
                grads.append(self._seed(counts[per] if present else 0.0))
            value = value.detach() if present else torch.zeros_like(value)
            sums[name] = (sums[name][0] + value if name in sums else value, per)
        torch.autograd.backward(roots, grads)

    def _counts(self, batches: Sequence[Batch]) -> dict[str, Any]:
        """Each denominator over all micro-batches and processes."""
        names = batches[0].counts
        return (
            names
            if len(batches) == 1
            else {name: sum((b.counts[name] for b in batches[1:]), start=batches[0].counts[name]) for name in names}
        )

    def _finish(self, sums: dict[str, tuple[Tensor, str]]) -> None:
        """After the last micro-batch: `p.grad` and every term become the sums over all processes."""

    def _seed(self, count: Any) -> Tensor:
        """The loss scale over a count as a 0-d tensor; zero for a count of zero."""
        if isinstance(count, Tensor):
            return torch.where(count > 0, self.precision.scale / count, torch.zeros_like(count))
        value = self.precision.scale / count if count else 0.0
        seed = self._seeds.get(value)
        if seed is None:
            if len(self._seeds) >= 4096:  # counts that never repeat (float weights) must not pile up
                self._seeds.clear()
            seed = self._seeds[value] = torch.tensor(
                value, dtype=torch.float64 if self.precision.name == "fp64" else None, device=self.device
            )
        return seed

    # ---- looking without touching ----

    def evaluate(
        self,
        model: nn.Module,
        fn: Callable[[nn.Module, Batch], dict[str, Any]],
        rows: Any,
        batch_size: int,
        criterion: Criterion,
        weights: dict[str, Tensor] | None = None,
    ) -> dict[str, Any]:
        """`fn(model, batch)` over all `rows` in order, in eval mode, without gradients; nothing that the run owns is moved.

        fn returns tensors to sum over batches and processes, or one-element lists of tensors to concatenate along dim 0.
        batch_size: rows at a time; it begins anew with half of them where they do not fit in memory. criterion: counts denominators.
        weights: parameters and buffers, by name, to look with instead of the model's own. Raises NoMemory.
        """
        size = min(batch_size, max(1, len(rows)))
        return glanced(self, size, lambda size: self._evaluated(model, fn, rows, size, criterion.counts, weights), criterion)

    def _evaluated(
        self,
        model: nn.Module,
        fn: Callable[[nn.Module, Batch], dict[str, Any]],
        rows: Any,
        batch_size: int,
        count: Callable[[Batch], dict[str, Any]],
        weights: dict[str, Tensor] | None,
    ) -> dict[str, Any]:
        from danlu.core import Batch

        plan = Plan(len(rows), batch_size, None, 0, shuffle=False)
        total: dict[str, Any] = {}
        with torch.no_grad(), self.looking(model, weights):
            slots = (slot for step in range(plan.steps_per_epoch) for slot in plan.shard(step, self.rank, self.world))
            for slot, inputs, targets in fetched(rows, plan, slots):
                if slot.empty and self.world == 1:
                    continue
                ids = devices.to(slot.ids, self.device)
                batch = Batch(self.put(inputs), self.put(targets), ids, slot.step, slot.place, slot.last)
                batch.counts = {"rows": len(slot.ids), "once": 1.0, **count(batch)}
                with self.precision.autocast():
                    found = fn(model, batch)
                for key, value in _nothing(found).items() if slot.empty else found.items():
                    total[key] = value if key not in total else total[key] + value
        return {key: self.gather(value) if isinstance(value, list) else self.sum(value) for key, value in total.items()}

    @contextmanager
    def looking(self, model: nn.Module, weights: dict[str, Tensor] | None = None) -> Iterator[None]:
        """Inside, the model is in eval mode and holds `weights`; what it draws or moves is put back afterwards."""
        modes = [(module, module.training) for module in model.modules()]
        model.eval()
        try:
            with self.aside(), self.swapped(model, weights):
                yield
        finally:
            for module, training in modes:
                module.training = training

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Inside, what the model draws or moves of its buffers is put back afterwards."""
        state, seed, ids = self._generator.get_state(), Keyed.seed, Keyed.ids
        Keyed.ids = None
        try:
            with self.buffers.held():
                yield
        finally:
            self._generator.set_state(state)
            Keyed.seed, Keyed.ids = seed, ids

    @contextmanager
    def swapped(self, model: nn.Module, weights: dict[str, Tensor] | None) -> Iterator[None]:
        """Inside, the model holds `weights`; afterwards its own again, bit for bit."""
        own = self._named(model)
        kept = {name: own[name].detach().clone() for name in weights or {} if name in own}  # a stranger is refused by `load_weights`
        try:
            self.load_weights(model, weights or {})
            yield
        finally:
            self.load_weights(model, kept)

    # ---- state, by logical names ----

    def _named(self, model: nn.Module) -> dict[str, Tensor]:
        """Parameters and persistent buffers by the names they have in the unwrapped model; tied tensors once."""
        tensors: dict[str, Tensor] = {}
        seen: set[int] = set()
        for name, value in model.state_dict(keep_vars=True).items():
            if isinstance(value, Tensor) and id(value) not in seen:
                seen.add(id(value))
                tensors[name] = value
        return tensors

    def state(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """The model's and the optimiser's tensors by logical names, detached but not copied, and the optimiser's groups as plain values."""
        names = {id(p): name for name, p in model.named_parameters()}
        groups = [{key: value for key, value in group.items() if key not in ("params", "param_names")} for group in optimizer.param_groups]
        for group, saved in zip(optimizer.param_groups, groups):
            saved["params"] = [names[id(p)] for p in group["params"]]
        return {
            "model": {name: value.detach() for name, value in self._named(model).items()},
            "optimizer": {"state": {names[id(p)]: value for p, value in optimizer.state.items()}, "groups": groups},
        }

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Put back what `state` and `facts` returned. Raises Refused if the model has other tensors than those saved."""
        from danlu.build import alike
        from danlu.optim.fused import lay_out_state

        for name, value in self._named(model).items():
            if name not in state["model"]:
                raise Refused(messages.WEIGHT_DIFFERS, name=name, saved="-", found=tuple(value.shape))
        self.load_weights(model, state["model"])
        named = dict(model.named_parameters())
        optimizer.state.clear()
        groups = {name: group for group in state["optimizer"]["groups"] for name in group["params"]}
        for name, values in state["optimizer"]["state"].items():
            p, group = named[name], groups[name]
            on_device = group.get("fused") or group.get("capturable")  # others keep the count of steps on the CPU, as torch does
            optimizer.state[p] = {k: alike(v, None, p.device if k != "step" or on_device else None) for k, v in values.items()}
        lay_out_state(optimizer)
        for group, saved in zip(optimizer.param_groups, state["optimizer"]["groups"], strict=True):
            group.update({key: alike(value, group.get(key), None) for key, value in saved.items() if key != "params"})
        facts = state["placement"]
        self.precision.scale, self.precision.streak = facts["scale"], facts["streak"]
        self.step_rows, self.look_rows = facts["step_rows"], facts["look_rows"]

    def load_weights(self, model: nn.Module, weights: dict[str, Tensor]) -> None:
        """Copy tensors into the model by logical name; every name must exist there with the same shape."""
        own = self._named(model)
        for name, value in weights.items():
            if name not in own or own[name].shape != value.shape:
                found = tuple(own[name].shape) if name in own else "-"
                raise Refused(messages.WEIGHT_DIFFERS, name=name, saved=tuple(value.shape), found=found)
        with torch.no_grad():
            for name, value in weights.items():
                own[name].copy_(value)

    def facts(self) -> dict[str, Any]:
        """The plain values that must survive a restart: the loss scale and its streak, and how many rows fit in memory."""
        scale, streak = self.precision.scale, self.precision.streak
        return {"scale": scale, "streak": streak, "step_rows": self.step_rows, "look_rows": self.look_rows}

    def close(self) -> None:
        self.buffers.close()


def _mapped(fn: Callable[[Tensor], Tensor], tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _mapped(fn, value) for key, value in tree.items()}
    return fn(tree) if isinstance(tree, Tensor) else tree


def _nothing(found: dict[str, Any]) -> dict[str, Any]:
    """What a slot without rows adds to what was found: the same names, and nothing."""
    return {
        key: [piece[:0] for piece in value] if isinstance(value, list) else torch.zeros_like(value) if isinstance(value, Tensor) else 0
        for key, value in found.items()
    }
