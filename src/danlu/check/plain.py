"""The reference: what one would write by hand. The model on all rows of a batch at once, the loss's mean, backward, torch's optimiser.

Nothing here goes through the seams, the placement or the plan. What a run looked at is watched from outside (which rows were fetched, in
which state torch's generator was when the model was called), and the reference looks at the same.
"""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from danlu import build
from danlu.check.means import mean_of
from danlu.core import Batch, Run
from danlu.keys import Keyed
from danlu.losses.parts import mapped
from danlu.losses.returned import returned_loss
from danlu.placement.buffers import Buffers
from danlu.placement.device import default_generator, to


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of a data set, as rows of their own, fetched by this process; `asked` is what was fetched, in order."""

    whole: Any
    ids: Tensor
    asked: list[tuple[Tensor, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        self.asked.append((ids, draw))
        return self.again(ids, draw)

    def again(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        """The same rows, without a trace."""
        inputs, targets = self.whole.fetch(self.ids[ids], draw)
        return inputs, targets


@dataclass(frozen=True)
class Look:
    """What a run looked at in one step: rows of the part by micro-batch, the key of the pass, and the generator's state at each call."""

    step: int
    parts: tuple[Tensor, ...]
    draw: int
    states: tuple[Tensor, ...]


class Witness:
    """Notes what a run looks at."""

    def __init__(self, run: Run, part: Part):
        self.run, self.part, self._calls = run, part, list[tuple[int, Tensor, Tensor]]()
        part.asked.clear()
        generator = default_generator(run.placement.device)

        def called(*_: Any) -> None:
            if Keyed.ids is not None:
                self._calls.append((Keyed.step, Keyed.ids, generator.get_state()))

        self._hook = run.model.register_forward_pre_hook(called)

    def look(self) -> Look:
        """What was looked at since the last time; of a model that is called several times for a micro-batch, the first call."""
        calls, asked = list(self._calls), list(self.part.asked)
        self._calls.clear()
        self.part.asked.clear()
        first = [call for place, call in enumerate(calls) if place == 0 or calls[place - 1][1] is not call[1]]
        return Look(first[0][0], tuple(ids for ids, _ in asked), asked[0][1], tuple(state for *_, state in first[: len(asked)]))

    def close(self) -> None:
        self._hook.remove()


class Plain:
    """The run's model as it is now, copied, in `dtype` (and under torch's own autocast to `low`), with the loss as its plain mean."""

    def __init__(self, run: Run, part: Part, dtype: torch.dtype, low: torch.dtype | None = None):
        self.model = unwatched(copy.deepcopy(run.model)).to(dtype)
        self.part, self.dtype, self.low = part, dtype, low
        self.recipe, self.seed, self.criterion = run.recipe, run.seed, run.criterion
        self.device, self.generator = run.placement.device, default_generator(run.placement.device)
        self.mean = mean_of(run.recipe.loss, run.data.facts)

    def gradient(self, look: Look) -> float:
        """Leave the gradient of the mean over all rows of the step in `p.grad`; the mean."""
        self.model.zero_grad()
        loss = self.loss(look)
        loss.backward()
        return loss.item()

    def loss(self, look: Look) -> Tensor:
        ids = torch.cat(look.parts)
        inputs, targets = self.rows(ids, look.draw)
        with self._keys(look, ids, 0):
            before = self.generator.get_state()
            loss = self._mean(inputs, targets, ids)
            drawn = not torch.equal(before, self.generator.get_state())
        if not drawn or len(look.parts) == 1:
            return loss
        # the model draws numbers of its own, which differ from micro-batch to micro-batch: it looks at one after the other
        outputs = []
        for place, rows in enumerate(look.parts):
            with self._keys(look, rows, place):
                outputs.append(self._output(self.rows(rows, look.draw)[0]))
        return self._mean_of(_joined(outputs), targets, ids)

    def rows(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        """Inputs and targets of these rows of the part, on the device, floats in the reference's type."""
        inputs, targets = to(self.part.again(ids, draw), self.device)
        cast = lambda x: x.to(self.dtype) if x.is_floating_point() else x
        return mapped(cast, inputs), mapped(cast, targets)

    @contextmanager
    def _keys(self, look: Look, ids: Tensor, place: int) -> Iterator[None]:
        """The random keys of the step: danlu's dropout draws by row, any other by the generator's state."""
        held = Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls
        Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls = self.seed, look.step, ids.to(self.device), {}
        self.generator.set_state(look.states[place])
        try:
            yield
        finally:
            Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls = held

    def _output(self, inputs: Any) -> Any:
        with torch.autocast(self.device.type, self.low) if self.low else nullcontext():
            if isinstance(inputs, dict):
                return self.model(**inputs)
            return self.model(*inputs) if isinstance(inputs, tuple) else self.model(inputs)

    def _mean(self, inputs: Any, targets: Any, ids: Tensor) -> Tensor:
        criterion = self.criterion
        if criterion.whole is not None:
            batch = Batch(inputs, targets, ids.to(self.device))
            return self._own(criterion.whole(self.model, batch).terms, batch)
        output = self._output(inputs)
        return own if (own := returned_loss(output)) is not None and criterion.returned else self._mean_of(output, targets, ids)

    def _mean_of(self, output: Any, targets: Any, ids: Tensor) -> Tensor:
        wide = mapped(lambda x: x.float() if x.dtype in (torch.float16, torch.bfloat16) else x, output)
        if self.mean is not None and (found := self.mean(wide, targets)) is not None:
            return found
        batch = Batch(None, targets, ids.to(self.device))
        return self._own(self.criterion.sums(wide, batch).terms, batch)

    def _own(self, terms: dict[str, tuple[Tensor, str]], batch: Batch) -> Tensor:
        """A loss that is known by its sums only: each over what it counts in the whole batch."""
        counts = {"rows": len(batch.ids), "once": 1.0, **self.criterion.counts(batch)}
        return torch.stack([value / counts[per] for value, per in terms.values()]).sum()

    def optimizer(self) -> torch.optim.Optimizer:
        """The recipe's optimiser over the copy, one tensor after the other: no fused kernels, no foreach."""
        found = build.optimizer(self.recipe, self.model)
        for group in found.param_groups:
            group.update({key: False for key in ("foreach", "fused") if key in group})
        return found


def unwatched(model: nn.Module) -> nn.Module:
    """A copied model without the hooks of the run that it was copied from: the ones that note what buffers become, and the witness's."""
    for hooks in (model._forward_hooks, model._forward_pre_hooks):
        for key, hook in list(hooks.items()):
            owner = getattr(hook, "__self__", None)
            if isinstance(owner, Buffers) or getattr(hook, "__qualname__", "").startswith(Witness.__name__):
                del hooks[key]
    return model


def gradients(model: nn.Module) -> dict[str, Tensor]:
    """Copies of all gradients, in float64 where the device has it, by parameter name; zeros where there is none."""
    wide: Callable[[Tensor], Tensor] = lambda x: x.float() if x.device.type == "mps" else x.double()
    return {
        name: wide(torch.zeros_like(p) if p.grad is None else p.grad.detach()).to_dense().clone()
        for name, p in model.named_parameters()
        if p.requires_grad
    }


def _joined(outputs: list[Any]) -> Any:
    """Outputs of micro-batches as one: tensors along their rows, inside of whatever holds them."""
    parts = [list[Tensor]() for _ in outputs]
    for found, output in zip(parts, outputs):
        mapped(functools.partial(_noted, found), output)
    place = itertools.count()

    def join(x: Tensor) -> Tensor:
        at = next(place)
        return torch.cat([own[at] for own in parts]) if x.ndim else x

    return mapped(join, outputs[0])


def _noted(found: list[Tensor], x: Tensor) -> Tensor:
    found.append(x)
    return x
