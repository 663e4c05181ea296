"""What a step takes, found by taking one micro-batch through it: the loss's terms, and the bytes that are held."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from danlu.core import Batch, Run


def step_cost(run: Run, batch: Batch) -> tuple[dict[str, str], dict[str, int]]:
    """The loss's terms with their denominators, and the bytes of a step, by taking the micro-batch through one."""
    with Activations(run.model, batch) as activations, run.placement.precision.autocast():
        terms = {name: per for name, (_, per) in run.objective(run.model, batch).terms.items()}
    run.placement.begin()
    run.update(lambda: run.gradient(run.objective, [batch]))
    weights = [*run.model.parameters(), *run.model.buffers()]
    memory = {
        "weights": _bytes(weights),
        "gradients": _bytes(p.grad for p in weights if p.grad is not None),
        "optimizer": _bytes(_tensors(list(run.optimizer.state.values()))),
        "techniques": _bytes(_tensors([[getattr(t, name, None) for name in t.state] for t in run.techniques])),
        "batch": sum(t.nbytes for t in _tensors([batch.inputs, batch.targets])),  # these may be views of several batches
        "activations": activations.bytes,
    }
    return terms, memory | {"total": sum(memory.values())}


def activations(run: Run, batch: Batch) -> int:
    """The bytes that one look at a micro-batch keeps for its backward pass."""
    with run.placement.aside(), Activations(run.model, batch) as kept, run.placement.precision.autocast():
        run.objective(run.model, batch)
    return kept.bytes


class Activations:
    """Counts what a forward pass keeps for the backward pass: each storage once, without the weights and the batch itself."""

    def __init__(self, model: nn.Module, batch: Batch):
        kept = [*model.parameters(), *model.buffers(), *_tensors([batch.inputs, batch.targets])]
        self._known = {t.untyped_storage().data_ptr() for t in kept}
        self._hooks = saved_tensors_hooks(self._save, lambda tensor: tensor)
        self.bytes = 0

    def _save(self, tensor: Tensor) -> Tensor:
        if type(tensor) is Tensor or isinstance(tensor, nn.Parameter):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in self._known:
                self._known.add(storage.data_ptr())
                self.bytes += storage.nbytes()
        return tensor

    def __enter__(self) -> Activations:
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._hooks.__exit__(*error)


def _tensors(tree: Any) -> list[Tensor]:
    if isinstance(tree, Tensor):
        return [tree]
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    return [tensor for each in inner for tensor in _tensors(each)]


def _bytes(tensors: Iterable[Tensor]) -> int:
    """Tied tensors, and views of one storage, count once."""
    return sum({t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}.values())
