"""A trained model measured: the run's metrics on its own test rows or on new data, each class, confusion and calibration."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from danlu import messages
from danlu.core import Run
from danlu.data.source import Rows, Tensors
from danlu.errors import BadInput, Refused
from danlu.evaluation.intervals import Interval, RowFigures, intervals, row_figures
from danlu.metrics.score import score
from danlu.use.load import Trained
from danlu.use.prediction import Prediction

BINS = 15


@dataclass(frozen=True, eq=False)
class Evaluation:
    """metrics: the loss and the recipe's metrics by name, None where undefined. rows: how many were measured.

    prediction and targets: of every row, in order; targets int64 [rows], or in the unit of the data for regression. Language models have
    neither. confusion: int64 [true class, predicted class]. classes: precision, recall, F1 and rows of each class.
    intervals: of each metric, 95 %, by drawing the rows again; figures: what they are drawn from.
    calibration: per bin of confidence (rows, mean confidence, accuracy); ece: its expected error (Guo et al. 2017, 15 equal bins).
    """

    metrics: dict[str, float | None]
    rows: int
    prediction: Prediction | None = None
    targets: Tensor | None = None
    confusion: Tensor | None = None
    calibration: tuple[tuple[int, float, float], ...] = ()
    intervals: dict[str, Interval | None] = field(default_factory=dict)
    figures: RowFigures | None = None

    @property
    def ece(self) -> float | None:
        """Mean over rows of |confidence - accuracy| of their bin, in 0 to 1."""
        if not self.calibration:
            return None
        return sum(rows * abs(confidence - right) for rows, confidence, right in self.calibration) / sum(n for n, _, _ in self.calibration)

    @property
    def classes(self) -> list[dict[str, Any]]:
        """For each class: name, precision, recall, f1 (None where nothing was predicted or true), and rows of it."""
        if self.confusion is None or self.prediction is None:
            return []
        hit, true, said = self.confusion.diagonal().tolist(), self.confusion.sum(1).tolist(), self.confusion.sum(0).tolist()
        names = self.prediction.names or tuple(map(str, range(len(hit))))
        return [
            {"class": name, "precision": _ratio(h, p), "recall": _ratio(h, t), "f1": _ratio(2 * h, p + t), "rows": t}
            for name, h, t, p in zip(names, hit, true, said)
        ]

    def plain(self) -> dict[str, Any]:
        """All of it but the rows themselves, as JSON values."""
        found: dict[str, Any] = {"rows": self.rows, "metrics": self.metrics, "intervals": self.intervals}
        if self.confusion is not None:
            found |= {"ece": self.ece, "classes": self.classes, "confusion": self.confusion.tolist()}
            found["calibration"] = [{"rows": n, "confidence": c, "accuracy": a} for n, c, a in self.calibration]
        return found


def evaluate(trained: Trained, data: str | Path | None = None, split: str = "test") -> Evaluation:
    """Measure on new data (a path to what the run was trained on a kind of), else on the run's own `split`, "val" or "test".

    The figures of the run's own test split are those that training printed. Raises BadInput for a split that the data do not have, and
    for what in the new data does not fit (column, row, label, file).
    """
    run, rows = measured_rows(trained, data, split)
    found = _looked_at(run, rows)
    figures = row_figures(cast(Run, run), rows)
    return replace(found, figures=figures, intervals=intervals(figures, trained.seed))


def measured_rows(trained: Trained, data: str | Path | None, split: str) -> tuple[Trained, Rows]:
    """The rows that `evaluate` measures, and the run with the facts that go with them."""
    if data is not None and trained.facts.task == "language":
        return _of_text(trained, data)
    return trained, own_rows(trained, split) if data is None else read_rows(trained, data)


def _looked_at(trained: Trained, rows: Rows) -> Evaluation:
    metrics = score(cast(Run, trained), rows, "")
    if trained.facts.task in ("language", "masked_language"):
        return Evaluation(metrics, len(rows))
    outputs, targets = _looked(trained, rows)
    prediction = Prediction.of(outputs, trained.facts)
    if prediction.ids is None or (targets.is_floating_point() and trained.facts.task == "classify"):
        if trained.facts.task == "regress":
            targets = (targets.double() * trained.facts.scale + trained.facts.shift).reshape(cast(Tensor, prediction.values).shape)
        return Evaluation(metrics, len(rows), prediction, targets)
    return Evaluation(
        metrics, len(rows), prediction, targets, confusion(targets, prediction.ids, trained.facts.outputs), bins(prediction, targets)
    )


def _of_text(trained: Trained, path: str | Path) -> tuple[Trained, Rows]:
    """Other text for a language model, whose own bytes count for bits per byte."""
    from danlu.data.text import Windows
    from danlu.data.text_files import read_rows as read_texts

    texts, tokens, _ = read_texts(trained.form, path)
    rows = Windows(tokens, trained.facts.shape[0])
    if not len(rows):
        raise BadInput(messages.TEXT_TOO_SHORT, split=path, tokens=len(tokens), length=rows.length, least=rows.length + 1)
    size = sum(len(text.encode()) for text in texts)
    own = copy.copy(trained)
    own.data = replace(trained.data, facts=replace(trained.facts, bytes_per_token=size / len(tokens)))
    return own, rows


def own_rows(trained: Trained, split: str) -> Rows:
    """The rows of a split of the data that the run was trained on, read again."""
    from danlu import build

    data = build.data(trained.recipe)
    if data.facts.labels != trained.facts.labels or data.facts.shape != trained.facts.shape:
        raise BadInput(messages.EVALUATE_OTHER_DATA, folder=trained.folder)
    rows: Rows | None = getattr(data, split)
    if rows is None:
        there = ", ".join(name for name in ("train", "val", "test") if getattr(data, name) is not None)
        raise BadInput(messages.EVALUATE_NO_SPLIT, split=split, found=there)
    return rows


def read_rows(trained: Trained, path: str | Path) -> Tensors:
    """New data with its targets as rows, by the run's form alone."""
    form, kind = trained.form, trained.form.get("kind")
    if kind in ("table", "numbers"):
        from danlu.data.read_table import read_table
        from danlu.data.tabular import encode, encode_target

        columns, target = read_table(path), form.get("target", "target")
        if target not in columns:
            raise BadInput(messages.EVALUATE_NO_TARGET, path=path, target=target, columns=", ".join(columns))
        return Tensors(encode(form, columns), encode_target(form, columns[target]))
    if kind == "images":
        from danlu.data import image_folder

        given, targets, _ = image_folder.read_rows({"shape": list(trained.facts.shape), **form}, path)
        return Tensors(image_folder.encode({"shape": list(trained.facts.shape), **form}, given), targets)
    if kind == "text" and "length" in form:
        from danlu.data import classify_text

        texts, targets, _ = classify_text.read_rows(form, path)
        return Tensors(classify_text.encode(form, texts), targets)
    raise Refused(messages.EVALUATE_KIND, kind=kind or "arrays")


def confusion(targets: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """How often each class was taken for each: int64 [true, predicted]. Rows without a label (negative) do not count."""
    there = targets >= 0
    return torch.bincount(targets[there] * classes + predicted[there], minlength=classes * classes).view(classes, classes)


def bins(prediction: Prediction, targets: Tensor, count: int = BINS) -> tuple[tuple[int, float, float], ...]:
    """(rows, mean confidence, accuracy) of each bin of confidence that holds a row; bins are ]0, 1/count], ]1/count, 2/count], ..."""
    there = targets >= 0
    if prediction.ids is None or prediction.confidence is None or not bool(there.any()):
        return ()
    confidence, right = prediction.confidence[there], (prediction.ids == targets)[there].double()
    place = (confidence * count).ceil().long().clamp(1, count) - 1
    rows = torch.bincount(place, minlength=count)
    sums = [torch.bincount(place, weights=values, minlength=count) for values in (confidence, right)]
    return tuple((int(n), float(c) / int(n), float(r) / int(n)) for n, c, r in zip(rows, *sums) if n)


def _looked(trained: Trained, rows: Rows) -> tuple[Tensor, Tensor]:
    """Outputs and targets of all rows, in order, on the CPU; several positions in a row are laid one after the other."""
    from danlu.losses.criterion import forward

    def look(model: Any, batch: Any) -> dict[str, Any]:
        output = trained.criterion.point(forward(model, batch.inputs))
        return {"outputs": [getattr(output, "logits", output).cpu()], "targets": [batch.targets.cpu()]}

    found = trained.placement.evaluate(trained.model, look, rows, trained.plan.at_once, trained.criterion)
    return found["outputs"], found["targets"]


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None
