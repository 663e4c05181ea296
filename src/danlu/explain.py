"""A recipe in seven lines, outermost first: what each seam is made of, and what a step of it takes.

What a step takes is found by making the run and taking one micro-batch through it, then throwing that run away; nothing is written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from danlu import find, messages
from danlu.annotations import show
from danlu.core import Batch, Recipe, Run, Technique
from danlu.errors import say
from danlu.names import snake
from danlu.nets.flops import step_flops
from danlu.optim.groups import describe_groups
from danlu.source import SEAMS
from danlu.user_file import Named

if TYPE_CHECKING:
    from danlu.data.source import Data


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What a recipe amounts to. `facts` are plain values by seam; `str` of it is the seven lines in the chosen language."""

    facts: dict[str, Any]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """A label and a text for each seam, and for where it all runs."""
        tell = {"model": _model, "stream": _stream, "objective": _objective, "gradient": _gradient, "update": _update,
                "reports": _reports, "placement": _placement}  # fmt: skip
        return [(say(messages.SEAM_WORDS[seam]), said(self.facts)) for seam, said in tell.items()]

    def __str__(self) -> str:
        return "\n".join(f"{label}: {text}" for label, text in self.lines)


def explain(recipe: Recipe) -> Explanation:
    """Make the run that the recipe describes, look at one micro-batch, and say what is there.

    Raises what making the run raises: BadInput or Refused, with the sentence that training would say.
    """
    with Run(recipe) as run:
        micro = run.plan.micro_count(run.placement.world)
        rates, share = learning_rates(run)
        techniques = {seam: [called(t, "technique") for t in run.techniques if _overrides(t, seam)] for seam in SEAMS}
        parameters = list(run.model.parameters())
        groups = describe_groups(run.optimizer.param_groups)
        batch = _first(run)
        rows = len(batch.ids)
        terms, memory = _step(run, batch)
        return Explanation({
            "model": {
                "is": called(recipe.model, "model"),
                "techniques": techniques["model"],
                "parameters": sum(p.numel() for p in parameters),
                "trainable": sum(p.numel() for p in parameters if p.requires_grad),
                "flops_per_batch": step_flops(run.model, batch.inputs) * recipe.batch_size // rows,
            },
            "stream": {
                "is": called(recipe.data, "data"),
                "techniques": techniques["stream"],
                **_data(run.data),
                "batch_size": recipe.batch_size,
                "micro_batches": micro,
                "micro_batch_size": rows,
                "steps_per_epoch": run.plan.steps_per_epoch,
            },
            "objective": {"is": run.criterion.loss_name, "techniques": techniques["objective"], "terms": terms, "over": run.criterion.over},
            "gradient": {"techniques": techniques["gradient"], "micro_batches": micro},
            "update": {
                "is": called(recipe.optimizer, "optimizer") if recipe.optimizer else type(run.optimizer).__name__.lower(),
                "techniques": techniques["update"],
                "groups": [{"name": g.name, "tensors": g.tensors, "parameters": g.parameters, "lr": rate,
                            "weight_decay": g.options.get("weight_decay", 0)} for g, rate in zip(groups, rates)],
                "schedule": called(recipe.schedule, "schedule") if recipe.schedule else None,
                "lr": {key: rates[0] * value for key, value in share.items()},
            },
            "reports": {
                "techniques": techniques["reports"],
                "steps": run.total,
                "epochs": run.total / run.plan.steps_per_epoch,
                "metrics": _metrics(run),
            },
            "placement": {
                "is": called(run.placement, "placement"),
                "processes": run.placement.world,
                "device": str(run.placement.device),
                "precision": recipe.precision,
                "memory": memory,
            },
        })  # fmt: skip


# ---- finding out ----


def called(thing: Any, kind: str) -> str:
    """A description as one would write it: its name, with the fields that are not at their defaults."""
    if isinstance(thing, Named):
        return _call(thing.target, thing.options.items())
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        name = find.name_of(type(thing), kind) or snake(type(thing).__name__)
        fields = [(f.name, getattr(thing, f.name)) for f in dataclasses.fields(thing) if f.init]
        defaults = {f.name: f.default if f.default_factory is dataclasses.MISSING else f.default_factory() for f in dataclasses.fields(thing)}
        return _call(name, [(field, value) for field, value in fields if not _same(value, defaults[field])])
    if isinstance(thing, nn.Module):
        return type(thing).__name__
    return getattr(thing, "__name__", None) or ("arrays" if isinstance(thing, tuple | list) else type(thing).__name__)


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and value == default)


def _call(name: str, fields: Iterable[tuple[str, Any]]) -> str:
    said = ", ".join(f"{field}={_value(field, value)}" for field, value in fields)
    return f"{name}({said})" if said else name


def _value(field: str, value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(_value(field, item) for item in value)}]"
    if dataclasses.is_dataclass(value) or callable(value):
        return called(value, field.removesuffix("s") if field.removesuffix("s") in find.FOLDERS else field if field in find.FOLDERS else "technique")
    return show(value)


def _overrides(technique: Technique, seam: str) -> bool:
    name = f"wrap_{seam}"
    return getattr(type(technique), name) is not getattr(Technique, name)


def learning_rates(run: Run, points: int = 2000) -> tuple[list[float], dict[str, float]]:
    """Each group's peak rate, and the schedule's factor at the first step, at its lowest and highest, and at the last.

    A long run is looked at in at most about `points` steps, the first and last among them.
    """
    rates = [float(group["lr"]) for group in run.optimizer.param_groups]
    if run.schedule is None:
        return rates, dict.fromkeys(("first", "lowest", "highest", "last"), 1.0)
    steps = [*range(0, run.total, max(1, run.total // points)), run.total - 1]
    factors = [float(run.schedule(step)) for step in steps]
    return rates, {"first": factors[0], "lowest": min(factors), "highest": max(factors), "last": factors[-1]}


def _first(run: Run) -> Batch:
    """The first micro-batch, as the stream's techniques leave it, with its denominators."""
    stream = iter(run.wrap("stream", run.placement.stream(run.data.train, run.plan, 0, run.total)))
    batch: Batch = next(stream)
    close = getattr(stream, "close", None)
    if close:
        close()
    batch.counts = {"rows": batch.counts.get("rows", len(batch.ids)), "once": 1.0, **run.criterion.counts(batch)}
    batch.last = True
    return batch


def _step(run: Run, batch: Batch) -> tuple[dict[str, str], dict[str, int]]:
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


def _data(data: Data) -> dict[str, Any]:
    facts = data.facts
    return {
        "task": facts.task,
        "rows": {name: len(split) for name in ("train", "val", "test") if (split := getattr(data, name)) is not None},
        "shape": list(facts.shape),
        "outputs": facts.outputs,
        "vocab": facts.vocab,
        "categories": list(facts.cardinalities),
    }


def _metrics(run: Run) -> list[str]:
    from danlu.metrics.metric import metrics_for

    return [metric.name for metric in metrics_for(run.recipe.metrics, run.data.facts)]


# ---- saying it ----


def _line(innermost: str, *parts: str, techniques: Iterable[str] = ()) -> str:
    """A seam's techniques from the outside in, then what they are around."""
    return say(messages.EXPLAIN_COMMA).join([" > ".join([*techniques, innermost]), *parts])


def _model(facts: dict[str, Any]) -> str:
    model = facts["model"]
    frozen = model["parameters"] != model["trainable"]
    said = say(messages.EXPLAIN_PARAMETERS, parameters=f"{model['parameters']:,}", trainable=f"{model['trainable']:,}") if frozen else say(
        messages.EXPLAIN_ALL_TRAINABLE, parameters=f"{model['parameters']:,}"
    )  # fmt: skip
    return _line(model["is"], said, say(messages.EXPLAIN_FLOPS, flops=amount(model["flops_per_batch"])), techniques=model["techniques"])


def _stream(facts: dict[str, Any]) -> str:
    stream = facts["stream"]
    rows = " + ".join(f"{count:,} {split}" for split, count in stream["rows"].items())
    shape = "x".join(map(str, stream["shape"]))
    answer = say(messages.EXPLAIN_TASK, shape=shape, outputs=f"{stream['outputs']:,}", task=stream["task"])
    batch = say(messages.EXPLAIN_BATCH, size=f"{stream['batch_size']:,}", steps=f"{stream['steps_per_epoch']:,}")
    if stream["micro_batches"] > 1:
        batch += say(messages.EXPLAIN_MICRO, count=stream["micro_batches"], size=f"{stream['micro_batch_size']:,}")
    return _line(stream["is"], say(messages.EXPLAIN_ROWS, rows=rows), answer, batch, techniques=stream["techniques"])


def _objective(facts: dict[str, Any]) -> str:
    objective = facts["objective"]
    terms = ", ".join(f"{name} / {per}" for name, per in objective["terms"].items())
    over = [say(messages.EXPLAIN_OVER_BATCH)] if objective["over"] == "batch" else []
    return _line(objective["is"], say(messages.EXPLAIN_TERMS, terms=terms), *over, techniques=objective["techniques"])


def _gradient(facts: dict[str, Any]) -> str:
    count = facts["gradient"]["micro_batches"]
    kind = say(messages.EXPLAIN_BACKWARD, count=count) if count > 1 else say(messages.EXPLAIN_BACKWARD_ONE)
    scale = [say(messages.EXPLAIN_SCALED)] if facts["placement"]["precision"] == "fp16" else []
    return _line(kind, *scale, say(messages.EXPLAIN_GUARD), techniques=facts["gradient"]["techniques"])


def _update(facts: dict[str, Any]) -> str:
    update = facts["update"]
    lr = update["lr"]
    if update["schedule"]:
        path = [lr["first"], *([lr["highest"]] if lr["highest"] not in (lr["first"], lr["last"]) else []), lr["last"]]
        path = path[:1] if lr["lowest"] == lr["highest"] else path
        rate = f"{update['schedule']}: lr {' -> '.join(f'{value:.3g}' for value in path)}"
    else:
        rate = say(messages.EXPLAIN_CONSTANT, lr=f"{lr['first']:.3g}")
    groups = say(messages.EXPLAIN_COMMA).join(
        say(messages.EXPLAIN_GROUP, name=g["name"], parameters=f"{g['parameters']:,}", tensors=g["tensors"], decay=f"{g['weight_decay']:g}")
        for g in update["groups"]
    )
    return _line(update["is"], rate, groups, techniques=update["techniques"])


def _reports(facts: dict[str, Any]) -> str:
    reports = facts["reports"]
    length = say(messages.EXPLAIN_LENGTH, steps=f"{reports['steps']:,}", epochs=f"{reports['epochs']:g}" if reports["epochs"] < 1e4 else "-")
    return _line(length, say(messages.EXPLAIN_METRICS, metrics=", ".join(reports["metrics"])), techniques=reports["techniques"])


def _placement(facts: dict[str, Any]) -> str:
    placement = facts["placement"]
    memory = placement["memory"]
    parts = " + ".join(say(messages.MEMORY_WORDS[name], bytes=_size(memory[name])) for name in messages.MEMORY_WORDS if memory[name])
    return _line(
        say(messages.EXPLAIN_PLACE, placement=placement["is"], processes=placement["processes"], device=placement["device"], precision=placement["precision"]),
        say(messages.EXPLAIN_MEMORY, total=_size(memory["total"]), parts=parts),
    )  # fmt: skip


def amount(value: float) -> str:
    """A count with the unit of a thousand that suits it: `1.2 G`."""
    for unit in ("", "k", "M", "G", "T", "P"):
        if abs(value) < 1000:
            break
        value /= 1000
    return f"{value:.3g} {unit}".strip() + ("" if unit else " ")


def _size(count: int) -> str:
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.3g} {unit}"
