"""Which runs can be members of one program, and their tensors stacked. What cannot is named, by a sentence, before any training.

Members may differ in seed, rates, decays, betas, schedules and dropout rates; all else must be alike, which is asked of the built models
and optimisers, not of the descriptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.core import Batch, Run
from danlu.find.names import Phrase
from danlu.keys import Keyed, mix
from danlu.losses.criterion import forward
from danlu.nets.dropout import Dropout
from danlu.placement.single import Single
from danlu.study.moves import flags, unusual
from danlu.study.program import Draw, Stacked
from danlu.techniques.reports.validate import Validate
from danlu.techniques.update.nonfinite import Nonfinite


def unstackable(run: Run) -> Phrase | None:
    """What of a run cannot be done for many at once, or None. (The model is tried later, by `alike`.)"""
    for technique in run.techniques:
        if type(technique) is Nonfinite and technique.policy == "skip":
            continue  # every run has it; a member that diverges stays where it was
        if type(technique) is not Validate:
            return Phrase(messages.PART_TECHNIQUE, name=type(technique).__name__)
    if type(run.placement) is not Single:
        return Phrase(messages.PART_PLACEMENT, name=type(run.placement).__name__)
    if run.placement.precision.name not in ("fp32", "fp64"):
        return Phrase(messages.PART_PRECISION, name=run.placement.precision.name)
    own = run.criterion.returned  # settled when the run was built: what the loss of a model that returns its own is a mean over
    if run.criterion.whole is not None or (own is not None and own.per is not None):
        return Phrase(messages.PART_LOSS, name=run.criterion.loss_name)
    return unusual(run.optimizer)


def kind(run: Run) -> tuple[Any, ...]:
    """What members of one program have in common; compared by ==."""
    recipe = run.recipe
    common = (
        recipe.loss,
        recipe.metrics,
        recipe.validate,
        recipe.batch_size,
        run.total,
        run.placement.precision.name,
        run.placement.device,
    )
    shapes = [(name, p.shape, p.dtype, p.requires_grad) for name, p in run.model.named_parameters()]
    shapes += [(name, b.shape, b.dtype, False) for name, b in run.model.named_buffers()]
    return id(run.data), *common, flags(run.optimizer), shapes, [(name, *_fields(module)) for name, module in run.model.named_modules()]


def _fields(module: nn.Module) -> tuple[Any, ...]:
    """The class of a module and its own plain fields; a dropout's rate may differ."""
    plain = {key: value for key, value in vars(module).items() if _plain(value) and not (isinstance(module, Dropout) and key == "p")}
    return type(module), plain


def _plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str | tuple | None) or (callable(value) and not isinstance(value, nn.Module))


def stacked(runs: Sequence[Run]) -> Stacked | Phrase:
    """The members' tensors stacked, or a phrase if their model keeps state in plain fields."""
    first, batch = runs[0], first_step(runs[0])[0]
    models = [dict(run.model.named_parameters()) | dict(run.model.named_buffers()) for run in runs]
    trained = [name for name, p in first.model.named_parameters() if p.requires_grad]
    rates = _rates([run.model for run in runs])
    fields = {name: _fields(module)[1] for name, module in first.model.named_modules()}
    draws, moved = _looked(first, batch, {name: float(rate.max()) for name, rate in rates.items()})
    for name, module in first.model.named_modules():
        now = _fields(module)[1]
        if changed := next((key for key in now if key not in fields[name] or now[key] != fields[name][key]), None):
            return Phrase(messages.PART_STATE, name=name or "model", field=changed)
    held = {name: tensor.detach() for name, tensor in models[0].items() if name not in trained and name not in moved}
    differing = {name for name, tensor in held.items() if not all(torch.equal(tensor, model[name]) for model in models[1:])}
    # contiguous: a stack of channels-last kernels is not, and torch's fused optimisers pair elements by their place in memory
    together = lambda name: torch.stack([model[name].detach() for model in models]).contiguous()
    return Stacked(
        first.model,
        {name: together(name) for name in trained},
        {name: together(name) for name in moved},
        {name: together(name) if name in differing else tensor for name, tensor in held.items()},
        differing,
        rates,
        draws,
    )


def _rates(models: Sequence[nn.Module]) -> dict[str, Tensor]:
    """The rate of each dropout that members disagree on, [members], in the type and on the device of the parameters."""
    like = next(models[0].parameters())
    found = {}
    for entries in zip(*(model.named_modules() for model in models)):
        name, module = entries[0]
        if isinstance(module, Dropout) and len({other.p for _, other in entries}) > 1:
            found[name] = torch.tensor([other.p for _, other in entries], dtype=like.dtype, device=like.device)
    return found


def _looked(run: Run, batch: Batch, rates: dict[str, float]) -> tuple[list[Draw], list[str]]:
    """What the model draws in one evaluation, in order, and the buffers that it moves; they are put back."""
    draws: list[Draw] = []

    def note(path: str, nth: int) -> int:
        draws.append((path, nth))
        return mix(run.seed, path, nth)

    before = {name: b.detach().clone() for name, b in run.model.named_buffers()}
    modules = dict(run.model.named_modules())
    own = {name: modules[name].p for name in rates}
    Keyed.ids, Keyed.calls, Keyed.key = batch.ids, {}, note
    try:
        for name, rate in rates.items():
            modules[name].p = rate
        with torch.no_grad():
            forward(run.model, batch.inputs)
    finally:
        Keyed.ids = Keyed.key = None
        for name, rate in own.items():
            modules[name].p = rate
    moved = [name for name, b in run.model.named_buffers() if not torch.equal(b, before[name])]
    with torch.no_grad():
        for name in moved:
            run.model.get_buffer(name).copy_(before[name])
    return draws, moved


def alike(runs: Sequence[Run], losses: Tensor, norms: Tensor) -> Phrase | None:
    """Whether each member's own run says the same of its first step: loss and norm of the gradient, [members] each, within rounding."""
    close = 1e-9 if runs[0].placement.precision.name == "fp64" else 1e-3
    for run, loss, norm in zip(runs, losses.tolist(), norms.tolist()):
        run.placement.begin()
        outcome = run.gradient(run.objective, first_step(run))
        own = float(run.placement.norm([p.grad for p in run.trainable() if p.grad is not None]))
        run.model.zero_grad(set_to_none=True)
        for what, here, there in ((messages.WHAT_LOSS, loss, float(outcome.loss)), (messages.WHAT_GRADIENT, norm, own)):
            if abs(here - there) > close * max(abs(there), 1e-3):
                return Phrase(messages.PART_DIFFERS, what=Phrase(what), stacked=f"{here:.9g}", alone=f"{there:.9g}")
    return None


def first_step(run: Run) -> list[Batch]:
    """The micro-batches of a run's first step, as it will see them."""
    return run._take(iter(run.placement.stream(run.data.train, run.plan, 0, 1)))
