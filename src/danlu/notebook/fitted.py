"""A `Run` that keeps its figures and shows itself: what `danlu.fit` returns."""

from __future__ import annotations

import base64
import os
import time
from contextlib import ExitStack
from html import escape
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from danlu import messages
from danlu.core import Recipe, Report, Run
from danlu.data.source import Data
from danlu.describe.forms import to_data
from danlu.errors import BadInput, Diverged, say
from danlu.metrics.score import score as measured
from danlu.notebook.bar import Shown
from danlu.notebook.batches import Reader, tensors
from danlu.notebook.foreign import as_rows, in_order, is_array
from danlu.run import log
from danlu.run.plot import Picture, picture
from danlu.run.session import HOPELESS, Session
from danlu.run.stop import Stop, Stopped
from danlu.techniques.update.nonfinite import said
from danlu.use.encode import encode
from danlu.use.load import predicted
from danlu.use.prediction import Prediction


class Fitted(Run):
    """A run in memory. Its model holds the weights of the last step; an average that a technique keeps is what predicts and is measured.

    lines: a row for each logged step. folder: the run folder, if there is one. shown: is told each report and sentence.
    """

    def __init__(self, recipe: Recipe, data: Data, every: int, shown: Shown):
        super().__init__(recipe, data=data)
        self.every, self.shown = every, shown
        self.folder: Path | None = None
        self.lines: list[dict[str, Any]] = []
        self._flags: list[tuple[int, Tensor]] = []
        self._bad = self._streak = 0
        self.placement.notice = lambda event, sentence, **values: shown.tell(say(sentence, **values))  # type: ignore[method-assign]

    # ---- training ----

    def go_on(self) -> Fitted:
        """Train to the end, or until an interrupt."""
        began = time.monotonic() - (self.lines[-1]["seconds"] if self.lines else 0.0)
        with Stop() as stop, stop.in_steps():
            for report in self:
                self._note(report, time.monotonic() - began)
                self.shown(report, self)
                if stop.asked:
                    self.shown.tell(say(messages.FIT_INTERRUPTED, step=self.step, total=self.total))
                    break
        self._check()
        return self

    def train_in(self, out: str | os.PathLike[str]) -> Fitted:
        """Train to the end in a run folder, going on where an earlier call left off; afterwards the model holds what was tested."""
        from danlu.run.folder import claim

        with ExitStack() as stack:
            folder = stack.enter_context(claim(out, to_data(self.recipe, full=True, opaque=True), "fit"))
            stop = stack.enter_context(Stop())
            session = stack.enter_context(Session(self, folder, self.every, self.shown.tell))
            self.folder = folder.path
            try:
                session.begin("fit", None)
                session.loop([self.shown], stop)
                session.finish()
            except Stopped as stopped:
                self.shown.tell(str(stopped))
        self.lines = log.read(folder.path / "metrics.jsonl")
        return self

    def _note(self, report: Report, seconds: float) -> None:
        self._flags.append((report.step, report.outcome.overflow))
        if "nonfinite_in" in report.metrics:
            self._bad += 1
            if self._bad in (1, 10, 100, 1000):
                where, ids = report.metrics["nonfinite_in"], said(report.metrics["nonfinite_ids"])
                self.shown.tell(say(messages.STEP_SKIPPED, step=report.step, where=where, ids=ids, count=self._bad))
            if "rolled_back_to" in report.metrics:
                self.shown.tell(say(messages.ROLLED_BACK, step=report.metrics["rolled_back_to"]))
        if report.step % self.every and not report.metrics and report.step not in (1, self.total):
            return
        self._check()
        line = {"step": report.step, "epoch": round(report.epoch, 6), "loss": report.loss, "lr": report.lr, **report.metrics}
        self.lines.append({**log.plain(line), "seconds": round(seconds, 3)})

    def _check(self) -> None:
        """End the run after too many steps in a row whose numbers were not finite; their flags are read all at once."""
        flags, self._flags = self._flags, []
        for (step, _), bad in zip(flags, torch.stack([flag for _, flag in flags]).tolist() if flags else ()):
            self._streak = self._streak + 1 if bad else 0
            if self._streak >= min(HOPELESS, self.total):
                raise Diverged(messages.FIT_DIVERGED, count=self._streak, step=step)

    # ---- afterwards ----

    @property
    def metrics(self) -> Any:
        """A pandas DataFrame: a row for each logged step, a column for each metric."""
        from danlu.use.read import frame

        return frame(self.lines)

    def predict(self, x: Any, batch_size: int | None = None) -> Prediction:
        """What the model says about rows: arrays, a DataFrame, a loader or data set (without its targets), or raw input of danlu's data.

        Probabilities are given for classes, numbers in the unit of the data for regression.
        """
        form, facts = self.data.preprocess, self.data.facts
        if form.get("kind") not in (None, "arrays"):
            return predicted(self, encode(form, facts, x), batch_size, self.kept_weights())
        batches = isinstance(x, list) and x and isinstance(x[0], tuple | dict)
        if batches or not (isinstance(x, dict | list) or is_array(x)):
            rows = as_rows(x, Reader.of(self.model, None), self.data)
            return predicted(self, rows.fetch(torch.arange(len(rows)), 0)[0], batch_size, self.kept_weights())
        found = tensors(in_order(x, form.get("columns", [])))
        if isinstance(found, Tensor):
            found = found.float() if "columns" in form or found.dtype == torch.bool else found
            if found.shape == facts.shape or facts.shape == (1,) == found.shape[1:]:  # one row, or a column of numbers
                found = found[None] if found.shape == facts.shape else found
        return predicted(self, found, batch_size, self.kept_weights())

    def score(self, data: Any = None, target: str | None = None) -> dict[str, float | None]:
        """The loss and metrics on other data of the kind that was trained on; without any, on test, else val."""
        if data is None:
            rows = self.data.test if self.data.test is not None else self.data.val
            if rows is None:
                raise BadInput(messages.FIT_NO_TEST)
        else:
            rows = as_rows(data, Reader.of(self.model, target), self.data, target)
        return measured(self, rows, "", self.kept_weights())

    def plot(self, metric: str | list[str] | None = None) -> Picture:
        """The losses and the first validation metric (or `metric`) over the steps; `.save(path)` writes it."""
        return picture({say(messages.FIT_RUN): self.lines}, metric, self.shown.tell)

    def __repr__(self) -> str:
        figures = "  ".join(f"{name} {value:.4g}" for name, value in self._last().items())
        return say(messages.FIT_REPR, step=self.step, total=self.total, figures=figures)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self._last())
        row = "".join(f"<td>{value:.4g}</td>" for value in self._last().values())
        title = escape(say(messages.FIT_REPR, step=self.step, total=self.total, figures="").strip())
        drawn = base64.b64encode(self.plot()._repr_png_()).decode() if self.lines else ""
        image = f'<img alt="{escape(say(messages.PAGE_LOSS), quote=True)}" style="width:44em" src="data:image/png;base64,{drawn}">'
        return f"<div><b>{title}</b><table><tr>{head}</tr><tr>{row}</tr></table>{image if drawn else ''}</div>"

    def _last(self) -> dict[str, float]:
        """The newest value of the loss and of each metric."""
        found: dict[str, float] = {}
        for line in self.lines:
            found |= {key: value for key, value in line.items() if isinstance(value, float) and key not in ("epoch", "seconds", "lr")}
        return {key: value for key, value in found.items() if key not in ("rows_per_second", "best_step")}
