"""Where the model lives, and how its gradient is evaluated there: the innermost objective, gradient and evaluation.

A placement is a description; `start` makes the live copy that a run owns. Every reduction that a technique may need is one of its verbs,
which take the axis to reduce over, so a technique never talks to a process group. One process is a world of one, on the same code path.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.errors import BadInput, Sentence, say
from danlu.keys import Keyed, mix
from danlu.placement import device as devices
from danlu.placement.buffers import Buffers
from danlu.placement.looking import Looking
from danlu.placement.memory import looked, parts
from danlu.placement.norms import synced
from danlu.placement.order import Plan, fetched
from danlu.placement.precision import Name, Precision

if TYPE_CHECKING:
    from danlu.core import Batch, Gradient, Loss, Objective, Outcome, Recipe, Run

FINISHED_GRADIENT = "finished gradient"  # p.grad is complete, unscaled and reduced when a gradient technique sees it
WHOLE_MATRIX = "whole matrix"  # a parameter and its gradient are whole on this process
MODEL_TWICE = "model twice"  # an objective may call the model more than once
INPUTS = "inputs"  # an objective may read and change the inputs
DOUBLE_BACKWARD = "double backward"  # gradients of gradients
CHANGING_TRAINABLE = "trainable changes"  # the set of parameters that move may change during the run

EVERYTHING = frozenset({FINISHED_GRADIENT, WHOLE_MATRIX, MODEL_TWICE, INPUTS, DOUBLE_BACKWARD, CHANGING_TRAINABLE})


class Placement(Looking):
    """What every placement does; a subclass is a dataclass of plain values, and `start` makes the live copy that one run owns."""

    offers: ClassVar[frozenset[str]] = EVERYTHING
    world: int = 1
    rank: int = 0

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

    # Where weights lie in parts, so do p, p.grad and what is made of them; one process has them whole.

    def full(self, tensor: Tensor) -> Tensor:
        """The whole of a weight, its gradient or the like, on every process."""
        return tensor

    def share(self, whole: Tensor, like: Tensor) -> Tensor:
        """What this process has of a tensor that is whole on every process, if it lies in parts as `like` does."""
        return whole

    def local(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """What this process holds of each, as ordinary tensors: to work on number by number, in place too. Can be differentiated."""
        return list(tensors)

    def total(self, value: Tensor) -> Tensor:
        """The sum over the processes that hold parts of the weights of what each made of its own. Can be differentiated."""
        return value

    @contextmanager
    def whole(self, model: nn.Module) -> Iterator[list[nn.Parameter]]:
        """Inside, the model holds its weights whole, as ordinary tensors: those that are trained, in the model's order."""
        yield [p for p in model.parameters() if p.requires_grad]

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

    def optimizer(self, wish: Callable[[Iterable[Any]], torch.optim.Optimizer], entries: Iterable[Any]) -> torch.optim.Optimizer:
        """The optimiser that `wish` makes of groups, or of (name, parameter) pairs."""
        return wish(entries)

    def step(self, optimizer: torch.optim.Optimizer, closure: Callable[[], Any] | None = None) -> None:
        """Let the optimiser move the weights. closure: evaluates again, for one that searches along a line."""
        optimizer.step() if closure is None else optimizer.step(closure)

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
        """A step begins: the next evaluation is the one that moves the buffers. Raises BadInput where torch takes no gradients."""
        if not torch.is_grad_enabled():  # a step would be reported, and move nothing
            raise BadInput(messages.NO_GRADIENTS)
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
                self._broken_off()
                raise
            finally:  # whoever interrupts a step must not leave its random key behind
                Keyed.ids = None
            self._finish(sums)
            if tracked:
                buffers.settle(self.sum)
            losses = [value for value, _ in sums.values() if value.is_floating_point()]
            return Outcome(sums, counts, self._checked(parameters, losses), precision.scale)

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

    def _checked(self, parameters: Sequence[nn.Parameter], losses: list[Tensor]) -> Tensor:
        """After `_finish`: the gradients without the loss scale; a 0-d tensor that is zero when they and the losses are finite."""
        return self.precision.unscale([p.grad for p in parameters if p.grad is not None], losses)

    def _broken_off(self) -> None:
        """An evaluation ended in an error."""

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

    def close(self) -> None:
        self.buffers.close()


def _mapped(fn: Callable[[Tensor], Tensor], tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _mapped(fn, value) for key, value in tree.items()}
    return fn(tree) if isinstance(tree, Tensor) else tree
