"""The state of a training by logical names: whole tensors in the format of one process, whatever the placement.

Every tensor is addressed by the name and the shape that it has in the unwrapped model; so what one layout has saved, any other loads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.errors import Refused, Sentence
from danlu.placement.precision import Precision


class Stored:
    """What a placement does to save and load. Where weights lie in parts, every process takes part in what makes them whole."""

    parted: bool = False  # weights lie in parts: what is made whole of them is in tensors of its own
    joint: bool = False  # the state is made by all processes together
    _keeps: bool = True  # whether what others send for the state is kept here
    precision: Precision
    step_rows: int | None = None  # rows of a micro-batch that fit in memory together, once that was found out; see `memory`
    look_rows: int | None = None  # and outside a step, where no gradient is taken

    def notice(self, event: str, sentence: Sentence, **values: Any) -> None:
        raise NotImplementedError

    def named(self, model: nn.Module) -> dict[str, Tensor]:
        """Parameters and persistent buffers themselves, by the names they have in the unwrapped model; tied tensors once."""
        tensors: dict[str, Tensor] = {}
        seen: set[int] = set()
        for name, value in model.state_dict(keep_vars=True).items():
            if isinstance(value, Tensor) and id(value) not in seen:
                seen.add(id(value))
                tensors[name] = value
        return tensors

    def live(self, model: nn.Module) -> dict[str, Tensor]:
        """The same, detached: they move with the model. Where weights lie in parts, these are parts."""
        return {name: value.detach() for name, value in self.named(model).items()}

    def weights(self, model: nn.Module) -> dict[str, Tensor]:
        """The same, whole; the live tensors themselves where they are whole."""
        found: dict[str, Tensor] = self.gathered(self.live(model))
        return found

    def gathered(self, tree: Any) -> Any:
        """A tree of values with every tensor whole, on every process; what is whole already is not copied."""
        return tree

    def attend(self, run: Any) -> None:
        """Take part in making the state of a run, if that takes all processes, without keeping it."""
        if self.joint:
            self._keeps = False
            try:
                run.state()
            finally:
                self._keeps = True

    def spread(self, tree: Any, model: nn.Module) -> Any:
        """A tree of saved values with every tensor that bears a weight's name, in its shape, parted like that weight."""
        return tree

    def states(self, optimizer: torch.optim.Optimizer) -> Mapping[Tensor, dict[str, Any]]:
        """What the optimiser keeps, by the model's parameters; parts where weights lie in parts."""
        return optimizer.state

    def keep(self, optimizer: torch.optim.Optimizer, p: Tensor, values: dict[str, Any]) -> None:
        """Give the optimiser what it kept for `p`, whole."""
        optimizer.state[p] = values

    def state(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """The model's and the optimiser's tensors by logical names, detached but not copied, and the optimiser's groups as plain values."""
        names = {id(p): name for name, p in model.named_parameters()}
        groups = [{key: value for key, value in group.items() if key not in ("params", "param_names")} for group in optimizer.param_groups]
        for group, saved in zip(optimizer.param_groups, groups):
            saved["params"] = [names[id(p)] for p in group["params"]]
        kept = {names[id(p)]: value for p, value in self.states(optimizer).items()}
        return {"model": self.weights(model), "optimizer": {"state": self.gathered(kept), "groups": groups}}

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Put back what `state` and `facts` returned. Raises Refused if the model has other tensors than those saved."""
        from danlu.build import alike
        from danlu.optim.fused import lay_out_state

        for name, value in self.named(model).items():
            if name not in state["model"]:
                raise Refused(messages.WEIGHT_DIFFERS, name=name, saved="-", found=tuple(value.shape))
        self.load_weights(model, state["model"])
        named = dict(model.named_parameters())
        optimizer.state.clear()
        groups = {name: group for group in state["optimizer"]["groups"] for name in group["params"]}
        for name, values in state["optimizer"]["state"].items():
            p, group = named[name], groups[name]
            on_device = group.get("fused") or group.get("capturable")  # others keep the count of steps on the CPU, as torch does
            self.keep(optimizer, p, {k: alike(v, None, p.device if k != "step" or on_device else None) for k, v in values.items()})
        lay_out_state(optimizer)
        for group, saved in zip(optimizer.param_groups, state["optimizer"]["groups"], strict=True):
            group.update({key: alike(value, group.get(key), None) for key, value in saved.items() if key != "params"})
        facts = state["placement"]
        self.precision.scale, self.precision.streak = facts["scale"], facts["streak"]
        self.step_rows, self.look_rows = facts["step_rows"], facts["look_rows"]

    def load_weights(self, model: nn.Module, weights: dict[str, Tensor]) -> None:
        """Copy tensors into the model by logical name; every name must exist there with the same shape."""
        own = self.named(model)
        for name, value in weights.items():
            if name not in own or own[name].shape != value.shape:
                found = tuple(own[name].shape) if name in own else "-"
                raise Refused(messages.WEIGHT_DIFFERS, name=name, saved=tuple(value.shape), found=found)
        with torch.no_grad():
            for name, value in weights.items():
                self.put_in(own[name], value)

    def put_in(self, own: Tensor, value: Tensor) -> None:
        """Copy `value`, whole or parted, into a weight or its gradient, whole or parted."""
        own.copy_(value)

    def facts(self) -> dict[str, Any]:
        """The plain values that must survive a restart: the loss scale and its streak, and how many rows fit in memory."""
        scale, streak = self.precision.scale, self.precision.streak
        return {"scale": scale, "streak": streak, "step_rows": self.step_rows, "look_rows": self.look_rows}
