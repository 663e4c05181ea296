"""One optimiser made of several, each over its own parameters: to the loop it has one list of groups and one state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch


class Parted(torch.optim.Optimizer):
    """`parts` step one after another. Their group dicts are shared, not copied, and so is the state, which is by parameter."""

    def __init__(self, parts: Sequence[torch.optim.Optimizer]):
        self.parts = list(parts)
        groups = [group for part in parts for group in part.param_groups]
        super().__init__([dict(group) for group in groups], {})
        self.param_groups = groups
        for part in parts:
            self.state.update(part.state)  # some make theirs when they are built
        self._share()

    def _share(self) -> None:
        start = 0
        for part in self.parts:
            part.state = self.state
            part.param_groups = self.param_groups[start : start + len(part.param_groups)]
            start += len(part.param_groups)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = closure() if closure is not None else None
        for part in self.parts:
            part.step()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()
