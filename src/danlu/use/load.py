"""A trained model out of its run folder alone: recipe.json, preprocess.json and weights; neither the data nor its reader is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from danlu import build, messages
from danlu.core import Recipe, Run, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.describe import user_file
from danlu.describe.forms import from_data
from danlu.describe.places import Places
from danlu.errors import BadInput, Refused
from danlu.losses.criterion import forward
from danlu.placement.memory import glanced
from danlu.placement.order import Plan
from danlu.run import checkpoint, durable, log, preprocess
from danlu.run import record as record_file
from danlu.run.folder import read_json
from danlu.run.report import WEIGHTS
from danlu.use.encode import encode, rows_of
from danlu.use.prediction import Prediction
from danlu.use.reference import Reference, refer


class Trained:
    """A trained model with what turns raw input into its rows.

    module: the nn.Module, in eval mode. form: `Data.preprocess` of the run. facts: of its data. labels: names of the classes, if any.
    step: the step that the weights are of. weights: "ema" for an average, else "raw".
    """

    def __init__(self, folder: Path, recipe: Recipe, form: dict[str, Any], facts: Facts):
        self.folder, self.recipe, self.seed, self.form, self.facts = folder, recipe, recipe.seed, form, facts
        self.data = Data(Tensors(torch.empty(0), torch.empty(0)), facts, preprocess=form)
        self.placement = build.placement(recipe)
        self.techniques: tuple[Technique, ...] = build.techniques(recipe, build.schedule(recipe), validates=False)
        model = build.model(recipe, build.columns(recipe, facts))
        for technique in reversed(self.techniques):
            model = technique.wrap_model(model, self)  # type: ignore[arg-type]
        self.model: nn.Module = self.placement.place(model).eval()
        self.criterion = build.objective(recipe, facts)
        self.plan = Plan(max(facts.rows, recipe.batch_size), recipe.batch_size, recipe.micro_batch_size, recipe.seed, shuffle=False)
        self.step, self.weights = 0, "raw"

    @property
    def module(self) -> nn.Module:
        return self.model

    @property
    def labels(self) -> tuple[str, ...]:
        return self.facts.labels

    def named_techniques(self) -> Iterator[tuple[str, Technique]]:
        return build.numbered(self.techniques)

    def predict(self, raw: Any, batch_size: int | None = None) -> Prediction:
        """What the model says about raw input: a path, a DataFrame, columns, rows, images or texts, as the run's data were.

        Raises BadInput that names the column, row or file, and Refused for a model that continues text (see `danlu sample`).
        """
        if self.facts.task in ("language", "masked_language"):
            raise Refused(messages.PREDICT_LANGUAGE, task=self.facts.task)
        return self.predict_rows(encode(self.form, self.facts, raw), batch_size)

    def predict_rows(self, inputs: Any, batch_size: int | None = None) -> Prediction:
        """The same for rows as the model takes them: a tensor, or a dict of tensors."""
        return predicted(self, inputs, batch_size)


def predicted(run: Run | Trained, inputs: Any, batch_size: int | None = None, weights: dict[str, Tensor] | None = None) -> Prediction:
    """What the model of `run` says about rows as it takes them. weights: to look with instead of its own. Raises BadInput for no rows."""
    count = rows_of(inputs)
    if count == 0:
        raise BadInput(messages.PREDICT_NOTHING)

    def look(size: int) -> Tensor:
        found: list[Tensor] = []
        with torch.no_grad(), run.placement.looking(run.model, weights):
            for start in range(0, count, size):
                part = _rows(inputs, start, start + size)
                with run.placement.precision.autocast():
                    output = run.criterion.point(forward(run.model, run.placement.put(part)))
                found.append(getattr(output, "logits", output).cpu())
        return torch.cat(found)

    size = min(count, batch_size or run.plan.at_once)
    return Prediction.of(glanced(run.placement, size, look), run.data.facts)


def load(run: str | Path | Reference, device: str = "auto", model: nn.Module | None = None) -> Trained:
    """The trained model of a run: `RUN`, `RUN@best`, `RUN@latest` or `RUN@step-N`.

    device: where to compute, whatever the run was trained on. model: a module to put the weights into, for a run of `danlu.fit`, whose
    folder cannot say what its live module was made of. Raises BadInput for what is not there, is not whole, or was changed after
    it was written.
    """
    reference = refer(run)
    folder = reference.folder
    form, facts = preprocess.read(folder)
    recipe = replace(_recipe(folder, model), device=device)
    trained = Trained(folder, recipe, form, facts)
    done = next((event for event in reversed(log.read(folder / "events.jsonl")) if event.get("event") == "done"), None)
    if reference.checkpoint is None and done:
        _load_chosen(trained, done)
        return trained
    at = reference.checkpoint or checkpoint.newest_valid(folder / "checkpoints")[0]
    if at is None:
        raise BadInput(messages.NOTHING_SAVED, folder=folder)
    _load_checkpoint(trained, checkpoint.read(at))
    return trained


def _recipe(folder: Path, model: nn.Module | None) -> Recipe:
    """The recipe of a run; what only a live module's run has no written form of is left out. Raises BadInput where that is the model."""
    form = _with_kept_sources(folder)
    live = [
        field for field in ("model", "data", "loss", "optimizer", "schedule", "placement") if str(form.get(field)).startswith("python:")
    ]
    if "model" in live and model is None:
        raise BadInput(messages.LOAD_LIVE_MODEL, folder=folder)
    form |= {field: {"model": "mlp", "data": "digits", "loss": "auto"}.get(field) for field in live}
    recipe = from_data(form, Places(str(folder / "recipe.json")))
    return recipe if model is None else replace(recipe, model=lambda: model)


def _load_chosen(trained: Trained, done: dict[str, Any]) -> None:
    """The weights that the finished run tested."""
    from safetensors.torch import load_file

    path = trained.folder / WEIGHTS
    if not path.is_file() or durable.read(path)[1] != done["sha256"]:
        raise BadInput(messages.WEIGHTS_CHANGED, path=path)
    _put(trained, load_file(path))
    trained.step, trained.weights = done["best_step"] or done["step"], "ema" if done["weights"] == "ema" else "raw"


def _load_checkpoint(trained: Trained, state: dict[str, Any]) -> None:
    """A checkpoint's weights as validation measured them: the average, where a technique keeps one and validation looks at it."""
    saved = state["techniques"]
    for name, technique in trained.named_techniques():
        for key in technique.state if name in saved else ():
            setattr(technique, key, build.alike(saved[name][key], getattr(technique, key, None), trained.placement.device))
    which = getattr(trained.recipe.validate or None, "weights", "auto")
    average = next((w for t in trained.techniques if (w := t.shadow() if hasattr(t, "average") else None) is not None), None)
    average = None if which == "raw" else average
    _put(trained, state["model"] if average is None else average)
    trained.step, trained.weights = state["step"], "raw" if average is None else "ema"


def _put(trained: Trained, weights: dict[str, Tensor]) -> None:
    own = trained.placement.named(trained.model)
    if missing := [name for name in own if name not in weights]:
        raise Refused(messages.WEIGHT_DIFFERS, name=missing[0], saved="-", found=tuple(own[missing[0]].shape))
    trained.placement.load_weights(trained.model, weights)


def _with_kept_sources(folder: Path) -> Any:
    """recipe.json, with the user's own files replaced by the copies in the run folder, as they were at the run's last start."""
    form, path = read_json(folder / "recipe.json"), folder / "record.json"
    record = read_json(path) if path.is_file() else {}
    kept: dict[str, str] = {}
    try:
        for source in (source for attempt in record.get("attempts", ()) for source in attempt.get("sources", ())):
            name = Path(source["kept"]).name
            if source["kept"] != f"{record_file.SOURCES}/{name}":  # the folder may be somebody else's: nothing outside of it is run
                raise ValueError(source["kept"])
            kept[source["path"]] = str((folder / source["kept"]).resolve())
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise BadInput(messages.RUN_FILE_UNREADABLE, file=path, reason=error) from error
    return _moved(form, kept)


def _moved(form: Any, kept: dict[str, str]) -> Any:
    """A data form with other paths in its `file.py:Name`."""
    if isinstance(form, dict):
        return {_moved(key, kept): _moved(value, kept) for key, value in form.items()}
    if isinstance(form, list):
        return [_moved(value, kept) for value in form]
    if isinstance(form, str) and user_file.is_target(form):
        path, name = user_file.split(form)
        return f"{kept.get(path, path)}:{name}"
    return form


def _rows(inputs: Any, start: int, stop: int) -> Any:
    if isinstance(inputs, dict):
        return {key: value[start:stop] for key, value in inputs.items()}
    return inputs[start:stop]
