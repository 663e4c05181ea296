"""Training a recipe in a run folder: the one place that ties the loop, the logs, the checkpoints, the record and the report together."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from danlu import messages
from danlu.core import Recipe, Report, Run
from danlu.describe import user_file
from danlu.describe.forms import to_data
from danlu.errors import BadInput, Diverged, Sentence, Trouble, say
from danlu.metrics.score import score
from danlu.run import checkpoint, log, preprocess, record, report
from danlu.run.folder import Folder, claim
from danlu.run.plot import plot
from danlu.run.progress import Progress
from danlu.run.save import Saver
from danlu.run.stop import Stop, Stopped
from danlu.techniques.reports.early_stop import EarlyStop
from danlu.techniques.reports.validate import Validate

if TYPE_CHECKING:
    from danlu.use.start_from import Taken

PICTURE = "curves.png"
HOPELESS = 100  # steps in a row without a finite gradient; an fp16 loss scale that starts too high needs fewer than 40 to adapt

Watcher = Callable[[Report, Run], None]


@dataclass(frozen=True)
class Result:
    """What a training left. metrics: the test figures, when the data has a test split. best_step: the step whose weights they are of."""

    folder: Path
    step: int
    best_step: int | None
    metrics: dict[str, float | None]


def train(
    recipe: Recipe,
    out: str | os.PathLike[str] | None = None,
    *,
    name: str = "run",
    every: int = 10,
    watchers: Sequence[Watcher] = (),
    tell: Callable[[str], None] = lambda sentence: None,
    resume: bool = False,
    start: str | None = None,
    command: Sequence[str] | None = None,
) -> Result:
    """Train `recipe` to its end in the folder `out`, going on where an earlier start left off. Without one: a new `runs/<name>-<date>-<n>`.

    every: steps between two lines of metrics.jsonl. watchers: called with (report, run) after each step. tell: called with each sentence a
    person should read now. resume: `out` must hold a run. start: weights that a new run starts from, see
    `use.start_from`. command: the command line, for the record.
    Raises Stopped after SIGTERM, SIGINT or SIGUSR1 (saved; the same call goes on), Diverged after `HOPELESS` non-finite steps in a row,
    BadInput, Refused, Busy, NoSpace.
    """
    form = to_data(recipe, full=True, opaque=True)
    new = out is None or not (Path(out) / "recipe.json").exists()
    if resume and new:
        raise BadInput(messages.NO_RUN_THERE, folder=out, file="recipe.json")
    with ExitStack() as stack:
        run = stack.enter_context(Run(recipe)) if new else None  # bad data makes no folder
        taken = _started(run, start) if run and start else None  # nor do weights that do not fit
        folder = stack.enter_context(claim(out, form, name))
        run = run or stack.enter_context(Run(recipe))
        stop = stack.enter_context(Stop())
        session = stack.enter_context(Session(run, folder, every, tell))
        session.begin(name, command, start, taken)
        session.loop(watchers, stop)
        return session.finish()


def _started(run: Run, start: str) -> Taken:
    from danlu.use.start_from import start_from

    return start_from(run, start)


class Session:
    """One process's work on one run folder."""

    def __init__(self, run: Run, folder: Folder, every: int, tell: Callable[[str], None]):
        self.run, self.folder, self.every, self._tell = run, folder, every, tell
        self.saver = Saver(run, folder.checkpoints, self._saved)
        self.logged = 0  # the step of the last report that was noted
        self._flags: list[tuple[int, Tensor]] = []  # each step's overflow (zero: finite); read all at once
        self._skipped = self._streak = 0
        self._rows: Any = 0
        run.save = self.save

    def __enter__(self) -> Session:
        return self

    # ---- the beginning ----

    def begin(self, name: str, command: Sequence[str] | None, start: str | None = None, taken: Taken | None = None) -> None:
        """Load the newest whole checkpoint, open the logs where it left them, and record this start."""
        path, run = self.folder.path, self.run
        record.check_data(path, run)
        record.check_ancestry(path, start)
        self.text = open(path / "train.log", "a", encoding="utf-8", opener=_private)  # noqa: SIM115 (closed by __exit__)
        self.events = log.Events(path / "events.jsonl")
        past = log.read(path / "events.jsonl")
        self.done = next((event for event in reversed(past) if event.get("event") == "done"), None)
        self._load()
        if self.done and self.done["step"] != run.step:
            self.done = None
        self.metrics = log.Log(path / "metrics.jsonl", keep=lambda line: line["step"] <= run.step and (self.done or not _is_final(line)))
        lines = log.read(path / "metrics.jsonl")
        self._base = lines[-1].get("seconds", 0.0) if lines else 0.0
        self._start = self._last = self._flushed = time.monotonic()
        self.progress = Progress(self.note_text)
        if self.done:
            return
        if start and not run.step:
            taken = taken or _started(run, start)
        preprocess.write(path, run.data)
        record.write(path, run, name, command, user_file.sources(), taken.record() if taken else None)
        self.events.tell("continue" if run.step else "start", run.step, total=run.total)
        if run.step:
            self.tell(messages.CONTINUING, step=run.step, total=run.total, folder=path)
        else:
            for note in run.data.preprocess.get("notes", ()):
                self.tell(Sentence(**{lang: text.replace("{", "{{").replace("}", "}}") for lang, text in note.items()}))
            for line in taken.said() if taken else ():
                self.note_text(line)
                self._tell(line)
            self.tell(messages.TRAINING_IN, folder=path)

    def _load(self) -> None:
        checkpoints = self.folder.checkpoints
        if not checkpoints.exists():
            return
        checkpoint.recover(checkpoints)
        newest, passed_over = checkpoint.newest_valid(checkpoints)
        if newest is None and passed_over:
            raise BadInput(messages.NO_VALID_CHECKPOINT, folder=checkpoints, reasons="; ".join(map(str, passed_over)))
        if newest is None:
            return
        for reason in passed_over:
            self.events.tell("passed_over", self.run.step, reason=str(reason))
            self.tell(messages.PASSED_OVER, reason=reason, folder=newest.name)
        self.run.load(checkpoint.read(newest, verified=True))
        self.saver.newest = self.logged = self.run.step

    # ---- the middle ----

    def loop(self, watchers: Sequence[Watcher], stop: Stop) -> None:
        watchers = (self.progress, *watchers)
        try:
            for found in self.run:
                self.note(found)
                for watch in watchers:
                    watch(found, self.run)
                if stop.asked:
                    self._stop(found, stop.asked)
            self._check_flags()
            if self.saver.newest != self.run.step:
                self._write(self.run.step, set(), {})
            self.saver.wait()
        except OSError as error:
            raise checkpoint.no_space(error, self.folder.path, 0) from error

    def note(self, found: Report) -> None:
        """Log a step, if it is one to log. Nothing of it is read from the device until the lines are flushed."""
        self.saver.check()
        if found.step == self.logged:  # noted already, just before it was saved
            return
        self.logged = found.step
        outcome = found.outcome
        self._flags.append((found.step, outcome.overflow))
        self._rows = self._rows + outcome.counts.get("rows", 0)
        if found.step % self.every and not found.metrics and found.step not in (1, self.run.total):
            return
        now = time.monotonic()
        terms = outcome.terms
        self.metrics.add(
            step=found.step,
            epoch=round(found.epoch, 6),
            loss=sum(list(terms.values())[1:], start=next(iter(terms.values()))),
            **(terms if len(terms) > 1 else {}),
            lr=found.lr,
            **found.metrics,
            seconds=round(self._base + now - self._start, 3),
            rows_per_second=round(float(self._rows) / max(now - self._last, 1e-9), 1),
        )
        self._last, self._rows = now, 0
        if now - self._flushed > 1.0 or found.metrics:
            self._flushed = now
            self.metrics.flush()
            self._check_flags()
        elif len(self._flags) >= HOPELESS:
            self._check_flags()

    def save(self, run: Run, found: Report) -> None:
        """What the loop calls when a report asks to be kept: the log is durable up to this step before the checkpoint is."""
        self.note(found)
        self._write(found.step, found.save, found.metrics)

    def _write(self, step: int, kinds: set[str], metrics: dict[str, Any]) -> None:
        self.metrics.sync()
        self.saver.save(step, "best" in kinds, {"metrics": log.plain(metrics)})

    def _saved(self, step: int, best: bool) -> None:
        self.events.tell("checkpoint", step, best=best)

    def _check_flags(self) -> None:
        """Read, at once, whether the steps since the last look were finite."""
        if not self._flags:
            return
        flags, self._flags = self._flags, []
        overflow = torch.stack([flag for _, flag in flags]).tolist()
        for (step, _), bad in zip(flags, overflow):
            self._streak = self._streak + 1 if bad else 0
            if bad:
                self._skipped += 1
                self.events.tell("nonfinite", step)
                if self._skipped in (1, 10, 100, 1000, 10000):
                    self.tell(messages.STEP_SKIPPED, step=step, count=self._skipped)
            if self._streak >= min(HOPELESS, self.run.total):
                raise Diverged(messages.DIVERGED_RUN, count=self._streak, step=step, folder=self.folder.path)

    def _stop(self, found: Report, number: int) -> None:
        if self.saver.newest != found.step:
            self.save(self.run, found)
        self.saver.wait()
        self.events.tell("stopped", found.step, signal=signal.Signals(number).name)
        report.write(self.folder.path)
        raise Stopped(messages.STOPPED, signal=signal.Signals(number).name, step=found.step, total=self.run.total, folder=self.folder.path)

    # ---- the end ----

    def finish(self) -> Result:
        """Look at the test rows, once, with the weights that validation chose; say what came out."""
        run, path = self.run, self.folder.path
        if self.done:
            self.tell(messages.FINISHED_BEFORE, step=self.done["step"], folder=path)
            return Result(path, self.done["step"], self.done["best_step"], self.done["metrics"])
        step, epoch = run.step, run.step / run.plan.steps_per_epoch
        weights, best_step, kind = self._choose()
        scores = score(run, run.data.test, "test_", weights) if run.data.test is not None else {}
        metrics = {name: value for name, value in log.plain(scores).items() if name in scores}
        if metrics:
            self.metrics.add(step=step, epoch=round(epoch, 6), best_step=best_step, **metrics)
        self.metrics.sync()
        tensors = weights or run.placement.state(run.model, run.optimizer)["model"]
        try:
            digest = checkpoint.export(tensors, path / report.WEIGHTS)
            self.events.tell("done", step, best_step=best_step, weights=kind, sha256=digest, metrics=metrics)
            page = report.write(path)
            plot([path], out=path / PICTURE).chmod(0o600)
        except OSError as error:
            raise checkpoint.no_space(error, path, sum(t.nbytes for t in tensors.values())) from error
        shown = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items() if value is not None)
        self.note_text(say(messages.FINISHED, step=step, metrics=shown, page=page))  # the caller says it in its own way
        return Result(path, step, best_step, metrics)

    def _choose(self) -> tuple[dict[str, Tensor] | None, int | None, str]:
        """The weights to test, the step they are of, and their kind: what early stopping put back, else the best step's, else the last."""
        run = self.run
        for technique in run.techniques:
            if isinstance(technique, EarlyStop) and technique.best_weights is not None:
                return None, technique.best_step, "restored"
        best, step = checkpoint.named(self.folder.checkpoints, "best"), None
        if best is not None:
            try:
                run.load(checkpoint.read(best))
                step = run.step
            except checkpoint.Broken as reason:
                self.tell(messages.PASSED_OVER, reason=reason, folder=f"step-{run.step}")
        weights = run.kept_weights(next((t.weights for t in run.techniques if isinstance(t, Validate)), "auto"))
        return weights, step, "raw" if weights is None else "ema"

    # ---- words ----

    def tell(self, sentence: Sentence, **values: Any) -> None:
        """Say a sentence to whoever watches, and in train.log."""
        text = say(sentence, **values)
        self.note_text(text)
        self._tell(text)

    def note_text(self, text: str) -> None:
        self.text.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}\n")
        self.text.flush()

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        with contextlib.suppress(OSError) if error else contextlib.nullcontext():  # what went wrong first is what must be seen
            try:
                self.saver.close()
            except Exception as late:
                if error is None:
                    raise
                self.note_text(str(late))
            try:
                if error is not None and hasattr(self, "events") and not isinstance(error, Stopped):
                    text = str(error) if isinstance(error, Trouble) else f"{type(error).__name__}: {error}"
                    self.note_text(text)
                    self.events.tell("failed", self.run.step, reason=text)
            finally:
                for file in ("metrics", "events", "text"):
                    if hasattr(self, file):
                        getattr(self, file).close()


def _is_final(line: dict[str, Any]) -> bool:
    return any(name.startswith("test_") for name in line)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
