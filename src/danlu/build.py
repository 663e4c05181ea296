"""What each field of a recipe becomes when a run is made, and the checks before its first step."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Set
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.describe.user_file import unwrapped
from danlu.errors import Refused
from danlu.find.names import snake
from danlu.keys import mix

if TYPE_CHECKING:
    from danlu.core import Batch, Recipe, Run, Technique
    from danlu.data.source import Data, Facts
    from danlu.losses.criterion import Criterion
    from danlu.placement.base import Placement
    from danlu.placement.order import Plan
    from danlu.placement.precision import Name


def check_fields(recipe: Recipe) -> None:
    """Refuse plain fields that are out of range or of another type, as a recipe file's would be. Raises BadInput."""
    from danlu.describe.annotations import RECIPE
    from danlu.describe.forms import check_length, convert
    from danlu.describe.places import Places, Spot

    spot = Spot(Places())
    check_length(recipe.epochs, recipe.steps, spot)
    for name in ("precision", "epochs", "steps", "batch_size", "micro_batch_size", "seed", "device"):
        convert(RECIPE[name][0], getattr(recipe, name), spot.at(name))


def placement(recipe: Recipe) -> Placement:
    from danlu.placement.single import Single

    return (recipe.placement or Single()).start(recipe.device, cast("Name", recipe.precision))


def data(recipe: Recipe) -> Data:
    from danlu.data.adapt import dataset
    from danlu.data.checks import check_rows, checked, fully_labelled

    made = dataset(unwrapped(recipe.data))
    check_rows(made, recipe.batch_size)
    return checked(replace(made, facts=replace(made.facts, labelled=fully_labelled(made))))


def horizon(recipe: Recipe, plan: Plan) -> int:
    """The number of steps of the whole training, at least one."""
    return recipe.steps or max(1, round((recipe.epochs or 0) * plan.steps_per_epoch))


def schedule(recipe: Recipe) -> Any:
    """The run's own copy of the schedule: the number of steps makes it the factor of the rate over the step."""
    return copy.deepcopy(recipe.schedule)


def model(recipe: Recipe, facts: Facts) -> nn.Module:
    """The model, initialised by the recipe's seed alone; torch's global generator is left as it was.

    A live module is copied, as everything of a recipe is: a second run of it starts where the first did, and a fork is no twin.
    """
    from danlu.nets.construct import construct

    if isinstance(recipe.model, nn.Module):
        return construct(copy.deepcopy(recipe.model), facts)
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


def optimizer(recipe: Recipe, model: nn.Module, made: Callable[..., torch.optim.Optimizer] | None = None) -> torch.optim.Optimizer:
    """The optimiser over the trainable parameters; a description that makes groups sees the model, any other gets named parameters.

    made: makes it of the description and what it is to be given (a placement's own way).
    """
    from danlu.optim.first_order import AdamW

    trainable = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if not trainable:
        raise Refused(messages.NOTHING_TRAINABLE)
    wish = recipe.optimizer or AdamW()
    given = wish.groups(model) if hasattr(wish, "groups") else trainable
    return made(wish, given) if made else wish(given)


def techniques(recipe: Recipe, schedule: Any, validates: bool) -> tuple[Technique, ...]:
    """The run's own copies: the recipe's, an optimiser's own seams, a schedule with state, then validation, so that all see its metrics.

    A recipe without a word on steps that are not finite has them skipped and named.
    """
    from danlu.core import Technique
    from danlu.techniques.reports.validate import Validate
    from danlu.techniques.update.nonfinite import Nonfinite

    own = [*copy.deepcopy(recipe.techniques)]
    if not any(isinstance(technique, Nonfinite) for technique in own):
        own.append(Nonfinite())
    if isinstance(recipe.optimizer, Technique):
        own.append(copy.deepcopy(recipe.optimizer))  # it keeps an average to validate, or tells its rate
    if isinstance(schedule, Technique):
        own.append(schedule)  # the very object whose factor the update reads
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
    _check_norms(run, -(-micro // ranks))
    _try_out(run)


def _check_norms(run: Run, micro: int) -> None:
    """Refuse BatchNorm where its statistics would depend on the split, or would be those of a single row (which torch cannot train on).

    micro: micro-batches of a step on one process; those of the other processes at the same time are normalised with them.
    """
    from danlu.placement.norms import SyncedBatchNorm

    plan, recipe = run.plan, run.recipe
    sizes = {len(part) for step in (0, plan.steps_per_epoch - 1) for part in plan.micro_batches(step, run.placement.world)}
    world = run.placement.world
    idle = any(len(plan.micro_batches(step, world)) % world for step in (0, plan.steps_per_epoch - 1))  # a row that stands in would count
    for name, module in run.model.named_modules():
        norm, ghost = isinstance(module, nn.modules.batchnorm._BatchNorm | SyncedBatchNorm), getattr(module, "ghost", None)
        if norm and micro == 1 and idle:
            raise Refused(messages.IDLE_NORM, layer=name or "model", ranks=world, size=max(1, recipe.batch_size // world))
        if norm and micro > 1:
            size = recipe.micro_batch_size or recipe.batch_size // micro
            raise Refused(messages.GHOST_NORM, layer=name or "model", micro=micro, size=size)
        alone = ghost == 1 or any(size % ghost == 1 for size in sizes) if ghost else 1 in sizes
        if alone and (isinstance(module, nn.BatchNorm1d) or getattr(module, "flat", False)):
            raise Refused(messages.ONE_ROW, layer=name or "model", rows=plan.rows, batch_size=ghost or plan.at_once)


def _try_out(run: Run) -> None:
    """Try the loss on one small batch and on two parts of it, and every metric that will be asked for."""
    from danlu.core import Batch
    from danlu.losses.adapt import check_additive, check_targets
    from danlu.metrics.score import check_metrics

    ids = torch.arange(min(5, len(run.data.train)))
    inputs, targets = run.data.train.fetch(ids, 0)
    batch: Batch = Batch(run.placement.put(inputs), run.placement.put(targets), ids.to(run.placement.device))
    criterion = run.criterion
    if criterion.over == "rows":
        check_targets(run.data.facts, batch, criterion.ignore_index, criterion.probabilities)
    with run.placement.looking(run.model), torch.no_grad():
        check_additive(criterion, run.model, batch)
        if run.recipe.metrics or run.data.val is not None or run.data.test is not None:
            check_metrics(run, batch)


def numbered(techniques: tuple[Technique, ...]) -> Iterator[tuple[str, Technique]]:
    """Each technique with its place among its own kind: `ema.0`."""
    seen: dict[str, int] = {}
    for technique in techniques:
        kind = snake(type(technique).__name__)
        seen[kind] = seen.get(kind, -1) + 1
        yield f"{kind}.{seen[kind]}", technique


def restore(run: Run, saved: dict[str, dict[str, Any]]) -> None:
    """Give each technique of the run its saved state back."""
    for name, technique in run.named_techniques():
        for key in technique.state:
            setattr(technique, key, own(run, saved[name][key], getattr(technique, key, None)))


def own(run: Run, value: Any, like: Any) -> Any:
    """A saved value of a technique as the run's own: where weights lie in parts, so does what bears their names."""
    return run.placement.spread(alike(value, None if run.placement.parted else like, run.placement.device), run.model)


def handed_over(run: Run, fork: Run, changed: Set[str]) -> dict[str, Any]:
    """The state with which a fork goes on from where `run` is; what a changed field owned is the fork's own, fresh."""
    state, fresh = run.state(), fork.state()
    if changed & {"epochs", "steps"}:
        state["total"] = fresh["total"]
    if changed & {"placement", "precision", "device"}:
        state["placement"] = fresh["placement"]
    if changed & {"model", "optimizer"} or _moving(run) != _moving(fork):
        state["optimizer"] = fresh["optimizer"]
    olds = dict(run.named_techniques())
    for name, technique in fork.named_techniques():
        if technique.state and not (name in olds and (technique == olds[name] or not is_dataclass(technique))):
            state["techniques"][name] = fresh["techniques"][name]
    return state


def _moving(run: Run) -> list[Any]:
    """What an optimiser's state fits to."""
    return [(name, p.shape, p.dtype) for name, p in run.model.named_parameters() if p.requires_grad]


def alike(value: Any, like: Any, device: torch.device | None) -> Any:
    """A saved value as a run's own: copied, tensors on the device and in the type of what they replace (else on `device`)."""
    if isinstance(value, Tensor):
        if isinstance(like, Tensor):
            return value.detach().to(like.device, like.dtype, copy=True)
        return value.detach().clone() if device is None else value.detach().to(device, copy=True)
    if isinstance(value, dict):
        inner = like if isinstance(like, dict) else {}
        return {key: alike(item, inner.get(key), device) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(alike(item, None, device) for item in value)
    return copy.deepcopy(value)
