"""What all placements on several processes share: every process runs the same steps, and what they find is summed over all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import torch
import torch.distributed as dist
from torch import Tensor, nn

from danlu import messages
from danlu.errors import NoMemory, Refused
from danlu.placement import processes
from danlu.placement.base import Placement
from danlu.placement.memory import out_of_memory
from danlu.placement.precision import Name
from danlu.run.tree import raw

if TYPE_CHECKING:
    from danlu.core import Batch, Outcome, Run


class Spmd(Placement):
    """The same program on every process, each with micro-batches of its own."""

    def start(self, device: str, precision: Name) -> Self:
        live = super().start(device, precision)
        found = processes.join(live.device)
        live.rank, live.world = found.rank, found.world
        if live.device.type == "cuda":
            torch.cuda.set_device(found.local)
            live.device = torch.device("cuda", found.local)
        return live

    def sum(self, value: Any, over: str = "data") -> Any:
        if self.world == 1:
            return value
        if not isinstance(value, Tensor):
            return type(value)(self._all_reduced(torch.tensor(float(value), dtype=torch.float64)).item())
        return self._all_reduced(value.detach().clone())

    def most(self, value: int) -> int:
        if self.world == 1:
            return value
        found = torch.tensor(value)
        dist.all_reduce(found, op=dist.ReduceOp.MAX)
        return int(found)

    def everyone(self, value: Any) -> list[Any]:
        if self.world == 1:
            return [value]
        text = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.world)]
        dist.all_gather(sizes, torch.tensor([len(text)]))
        longest = int(max(sizes))
        texts = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.world)]
        dist.all_gather(texts, torch.cat([text, text.new_zeros(longest - len(text))]))
        return [json.loads(bytes(found[: int(size)].tolist())) for found, size in zip(texts, sizes)]

    def _all_reduced(self, value: Tensor) -> Tensor:
        dist.all_reduce(value)
        return value

    def gather(self, pieces: list[Tensor]) -> Tensor:
        if self.world == 1:
            return super().gather(pieces)
        sizes = torch.zeros(self.world, len(pieces), dtype=torch.int64)
        sizes[self.rank] = torch.tensor([len(piece) for piece in pieces])
        sizes = self._all_reduced(sizes)
        mine = torch.cat(pieces)
        padded = mine.new_zeros(int(sizes.sum(1).max()), *mine.shape[1:])
        padded[: len(mine)] = mine
        everyone = [torch.empty_like(padded) for _ in range(self.world)]
        dist.all_gather(everyone, padded)
        parts = [found.split([*own, len(padded) - sum(own)])[:-1] for found, own in zip(everyone, sizes.tolist())]
        return torch.cat([part for step in zip(*parts) for part in step])

    def _counts(self, batches: Sequence[Batch]) -> dict[str, Any]:
        counts = super()._counts(batches)
        return counts if self.world == 1 else self._summed(counts)

    def _finish(self, sums: dict[str, tuple[Tensor, str]]) -> None:
        if self.world > 1:
            totals = self._summed({name: value for name, (value, _) in sums.items()})
            sums.update({name: (totals[name], per) for name, (_, per) in sums.items()})

    def _summed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Each value summed over the processes, in one exchange; numbers stay numbers, tensors stay tensors of their type."""
        device = next((value.device for value in values.values() if isinstance(value, Tensor)), torch.device("cpu"))
        flat = self._all_reduced(torch.stack([torch.as_tensor(value, dtype=torch.float64, device=device) for value in values.values()]))
        totals = flat if device.type != "cpu" else flat.tolist()
        return {
            name: torch.as_tensor(total, dtype=value.dtype) if isinstance(value, Tensor) else type(value)(total)
            for (name, value), total in zip(values.items(), totals)
        }

    def place(self, model: nn.Module) -> nn.Module:
        model = super().place(model)
        self._agree(model)
        return model

    def _agree(self, model: nn.Module) -> None:
        """Refuse, on all processes together, if they built different models."""
        if self.world == 1:
            return
        digest = hashlib.sha256()
        for name, value in model.state_dict().items():
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(raw(value.detach().cpu()).numpy().tobytes())
        everyone = self.everyone(digest.hexdigest())
        others = [rank for rank, found in enumerate(everyone) if found != everyone[0]]
        if others:
            raise Refused(messages.MODELS_DIFFER, ranks=", ".join(map(str, others)))

    def looked(self, run: Run, batches: list[Batch]) -> Outcome:
        """One evaluation; memory that does not suffice on one process cannot be mended there while the others go on."""
        if self.world == 1:
            return super().looked(run, batches)
        try:
            outcome: Outcome = run.gradient(run.objective, batches)
            return outcome
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            rows = max(len(batch.ids) for batch in batches)
            raise NoMemory(messages.NO_MEMORY_RANK, rank=self.rank, rows=rows, reason=str(error)[:200]) from error
