"""What each field of a recipe becomes when a run is made, and the checks before its first step."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.errors import Refused
from danlu.keys import mix
from danlu.user_file import unwrapped

if TYPE_CHECKING:
    from danlu.core import Batch, Recipe, Run, Technique
    from danlu.data.source import Data, Facts
    from danlu.losses.criterion import Criterion
    from danlu.placement.base import Single


def placement(recipe: Recipe) -> Single:
    from danlu.placement.base import Single

    return (recipe.placement or Single()).start(recipe.device, recipe.precision)


def data(recipe: Recipe) -> Data:
    from danlu.data.adapt import dataset
    from danlu.data.checks import check_rows, fully_labelled

    made = dataset(unwrapped(recipe.data))
    check_rows(made, recipe.batch_size)
    return replace(made, facts=replace(made.facts, labelled=fully_labelled(made)))


def model(recipe: Recipe, facts: Facts) -> nn.Module:
    """The model, initialised by the recipe's seed alone; torch's global generator is left as it was."""
    from danlu.nets.construct import construct

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix(recipe.seed, "init") & 0x7FFFFFFF)
        return construct(unwrapped(recipe.model), facts)


def columns(recipe: Recipe, facts: Facts) -> Facts:
    """The facts a model is built from: a loss that wants more outputs than targets (quantiles, a variance) says how many."""
    wanted = getattr(unwrapped(recipe.loss), "columns", None)
    return replace(facts, outputs=wanted(facts)) if wanted else facts


def objective(recipe: Recipe, facts: Facts) -> Criterion:
    from danlu.core import Technique
    from danlu.losses.adapt import objective

    if any(type(t).wrap_stream is not Technique.wrap_stream for t in recipe.techniques):
        facts = replace(facts, labelled=False)  # a technique may take labels away
    return objective(unwrapped(recipe.loss), facts)


def optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    """The optimiser over the trainable parameters; a description that makes groups sees the model, any other gets named parameters."""
    from danlu.optim.first_order import AdamW

    wish = recipe.optimizer or AdamW()
    if hasattr(wish, "groups"):
        return wish(wish.groups(model))
    return wish([(name, p) for name, p in model.named_parameters() if p.requires_grad])


def schedule(recipe: Recipe, total: int) -> tuple[Callable[[int], float] | None, Technique | None]:
    """The factor of the learning rate over the step, and the technique that keeps its state when it has some."""
    from danlu.core import Technique

    if recipe.schedule is None:
        return None, None
    wish = copy.deepcopy(recipe.schedule)
    return wish(total), wish if isinstance(wish, Technique) else None


def techniques(recipe: Recipe, stateful: Technique | None, validates: bool) -> tuple[Technique, ...]:
    """The run's own copies: the recipe's, then a stateful schedule, then validation, innermost, so that all see its metrics."""
    from danlu.techniques.reports.validate import Validate

    own = [*copy.deepcopy(recipe.techniques)]
    if stateful:
        own.append(stateful)  # the very object whose `factor` the update reads
    if recipe.validate is not False and validates:
        own.append(copy.deepcopy(recipe.validate) or Validate())
    return tuple(own)


def check(run: Run) -> None:
    """Refuse, before the first step, what could not train correctly. One small batch is looked at; nothing is moved."""
    for technique in run.techniques:
        for need in sorted(technique.needs - run.placement.offers):
            raise Refused(messages.NEEDS, technique=type(technique).__name__, need=need, placement=type(run.placement).__name__.lower())
    micro, ranks = run.plan.micro_count(run.placement.world), run.placement.world
    if run.criterion.over == "batch" and (micro > 1 or ranks > 1):
        raise Refused(messages.OVER_BATCH, loss=run.criterion.loss_name, micro=micro, ranks=ranks)
    for name, module in run.model.named_modules():
        if micro > 1 and isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats and not hasattr(module, "ghost"):
            size = run.recipe.micro_batch_size or run.recipe.batch_size // micro
            raise Refused(messages.GHOST_NORM, layer=name or "model", micro=micro, size=size)
    if run.criterion.over == "rows" and not any(hasattr(t, "changes_rows") for t in run.techniques):
        _adds_up(run)


def _adds_up(run: Run) -> None:
    """Try the loss on one small batch and on its two halves."""
    from danlu.core import Batch
    from danlu.losses.adapt import check_additive, check_targets

    ids = torch.arange(min(5, len(run.data.train)))
    inputs, targets = run.data.train.fetch(ids, 0)
    batch: Batch = Batch(run.placement.put(inputs), run.placement.put(targets), ids.to(run.placement.device))
    check_targets(run.data.facts, batch, run.criterion.ignore_index)
    with run.placement.looking(run.model), torch.no_grad():
        check_additive(run.criterion, run.model, batch)


def alike(value: Any, like: Any, device: torch.device | None) -> Any:
    """A saved value as a run's own: copied, tensors on the device of what they replace (or of the run)."""
    if isinstance(value, Tensor):
        where = like.device if isinstance(like, Tensor) else device
        return value.detach().clone() if where is None else value.detach().to(where, copy=True)
    if isinstance(value, dict):
        inner = like if isinstance(like, dict) else {}
        return {key: alike(item, inner.get(key), device) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(alike(item, None, device) for item in value)
    return copy.deepcopy(value)
