"""A recipe in seven lines, outermost first: what each seam is made of, and what a step of it takes.

What a step takes is found by making the run and taking one micro-batch through it, then throwing that run away; nothing is written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import nn

from danlu import find, messages
from danlu.core import Batch, Recipe, Run, Technique
from danlu.cost import step_cost
from danlu.describe.annotations import show
from danlu.describe.user_file import Named
from danlu.errors import say
from danlu.find.names import snake
from danlu.find.source import FOLDERS, SEAMS
from danlu.nets.flops import step_flops
from danlu.optim.groups import describe_groups

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
        techniques = {
            seam: [called(t, "technique") for t in run.techniques if _overrides(t, seam) and t != recipe.optimizer] for seam in SEAMS
        }
        parameters = list(run.model.parameters())
        groups = describe_groups(run.optimizer.param_groups)
        batch = first_batch(run)
        rows = len(batch.ids)
        terms, memory = step_cost(run, batch)
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
        return _call(name, [(f.name, getattr(thing, f.name)) for f in dataclasses.fields(thing) if f.init and not _at_default(thing, f)])
    if isinstance(thing, nn.Module):
        return type(thing).__name__
    return getattr(thing, "__name__", None) or ("arrays" if isinstance(thing, tuple | list) else type(thing).__name__)


def _at_default(thing: Any, field: dataclasses.Field[Any]) -> bool:
    value = getattr(thing, field.name)
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    return value is default or (type(value) is type(default) and bool(value == default))


def _call(name: str, fields: Iterable[tuple[str, Any]]) -> str:
    said = ", ".join(f"{field}={_value(field, value)}" for field, value in fields)
    return f"{name}({said})" if said else name


def _value(field: str, value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(_value(field, item) for item in value)}]"
    if dataclasses.is_dataclass(value) or callable(value):
        return called(value, next((kind for kind in (field, field.removesuffix("s")) if kind in FOLDERS), "technique"))
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


def first_batch(run: Run) -> Batch:
    """The first micro-batch, as the stream's techniques leave it, with its denominators."""
    stream = iter(run.wrap("stream", run.placement.stream(run.data.train, run.plan, 0, run.total)))
    batch: Batch = next(stream)
    close = getattr(stream, "close", None)
    if close:
        close()
    batch.counts = {"rows": batch.counts.get("rows", len(batch.ids)), "once": 1.0, **run.criterion.counts(batch)}
    batch.last = True
    return batch


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
    groups = say(messages.EXPLAIN_COMMA).join(_group(g, alike=len({g["lr"] for g in update["groups"]}) == 1) for g in update["groups"])
    return _line(update["is"], rate, groups, techniques=update["techniques"])


def _group(g: dict[str, Any], alike: bool) -> str:
    """A parameter group; with its peak rate where the groups' rates are not `alike`."""
    sizes = {"parameters": f"{g['parameters']:,}", "tensors": g["tensors"], "decay": f"{g['weight_decay']:g}"}
    said = say(messages.EXPLAIN_GROUP, name=g["name"], **sizes)
    return said if alike else say(messages.EXPLAIN_GROUP_RATE, group=said, lr=f"{g['lr']:.3g}")


def _reports(facts: dict[str, Any]) -> str:
    reports = facts["reports"]
    length = say(messages.EXPLAIN_LENGTH, steps=f"{reports['steps']:,}", epochs=f"{reports['epochs']:,.4g}")
    return _line(length, say(messages.EXPLAIN_METRICS, metrics=", ".join(reports["metrics"])), techniques=reports["techniques"])


def _placement(facts: dict[str, Any]) -> str:
    placement = facts["placement"]
    memory = placement["memory"]
    parts = " + ".join(say(word, bytes=in_bytes(memory[name])) for name, word in messages.MEMORY_WORDS.items() if memory[name])
    where = {name: placement[name] for name in ("processes", "device", "precision")}
    return _line(
        say(messages.EXPLAIN_PLACE, placement=placement["is"], **where),
        say(messages.EXPLAIN_MEMORY, total=in_bytes(memory["total"]), parts=parts),
    )


def amount(value: float) -> str:
    """A count with the unit that suits it, ready to stand before what is counted: `9.93 M`."""
    return _in_units(value, 1000, ("", "k", "M", "G", "T", "P"))


def in_bytes(count: int) -> str:
    """A size with the unit that suits it: `9.93 MiB`."""
    return _in_units(count, 1024, ("B", "KiB", "MiB", "GiB", "TiB"))


def _in_units(value: float, base: int, units: tuple[str, ...]) -> str:
    power = 0
    while abs(value) >= base and power < len(units) - 1:
        value, power = value / base, power + 1
    return f"{value:.3g} {units[power]}"
