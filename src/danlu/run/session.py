"""One process's work on one run: it loads, logs, saves and stops, and says what a person should know. The loop itself is `core.Run`."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from danlu import messages
from danlu.core import Report, Run
from danlu.describe import user_file
from danlu.errors import BadInput, Diverged, NoMemory, Sentence, Trouble, say
from danlu.placement.memory import out_of_memory
from danlu.run import changes, checkpoint, finish, log, preprocess, record, report
from danlu.run.folder import Folder
from danlu.run.progress import Progress
from danlu.run.save import Saver
from danlu.run.stop import Stop, Stopped
from danlu.techniques.update.nonfinite import said

if TYPE_CHECKING:
    from danlu.use.start_from import Taken

HOPELESS = 100  # steps in a row without a finite gradient; an fp16 loss scale that starts too high needs fewer than 40 to adapt
LIMIT = 1000  # the number that says, among those of signals, that the time is up
SLOW_DISK = 100e6  # bytes a second: what a first save is expected to take at most, until one was timed

Watcher = Callable[[Report, Run], None]


class Session:
    """One process's work on one run folder; every: steps between two lines of metrics.jsonl."""

    def __init__(
        self,
        run: Run,
        folder: Folder,
        every: int,
        tell: Callable[[str], None],
        accept: Collection[str] = (),
        deadline: float | None = None,
    ):
        self.run, self.folder, self.every, self._tell, self.accept, self.deadline = run, folder, every, tell, accept, deadline
        self._step_took = 0.0  # seconds of the longest step, with its validation
        self._stopper = Stop()  # one that hears nothing, until the loop brings its own
        self.saver = Saver(run, folder.checkpoints, self._saved)
        self.changed_fields: list[str] = []  # the fields in which the recipe is not the one that the checkpoint was saved with
        self.logged = 0  # the step of the last report that was noted
        self._flags: list[tuple[int, Tensor, float]] = []  # each step's overflow (zero: finite) and loss scale; read all at once
        self._skipped = self._streak = 0
        self._culprits: dict[int, dict[str, Any]] = {}  # what was found out about steps that were not finite
        self._rows: Any = 0
        run.save, run.placement.notice = self.save, self.notice  # type: ignore[method-assign]

    def __enter__(self) -> Session:
        return self

    # ---- the beginning ----

    def begin(
        self,
        name: str,
        command: Sequence[str] | None,
        start: str | None = None,
        taken: Taken | None = None,
        checked: dict[str, Any] | None = None,
    ) -> None:
        """Load the newest whole checkpoint, open the logs where it left them, and record this start (`checked`: and its certificate)."""
        path, run = self.folder.path, self.run
        record.check_data(path, run)
        record.check_ancestry(path, start)
        self.text = open(path / "train.log", "a", encoding="utf-8", errors="backslashreplace", opener=_private)  # noqa: SIM115 (closed by __exit__)
        self.events = log.Events(path / "events.jsonl")
        past = log.read(path / "events.jsonl")
        self.done = next((event for event in reversed(past) if event.get("event") == "done"), None)
        changed = self.changed_fields = self._load()
        if self.done and (self.done["step"] != run.step or set(changed) & set(changes.LENGTH)):
            self.done = None
        self.metrics = log.Log(path / "metrics.jsonl", keep=lambda line: line["step"] <= run.step and (self.done or not _is_final(line)))
        lines = log.read(path / "metrics.jsonl")
        self._base = lines[-1].get("seconds", 0.0) if lines else 0.0
        self._start = self._last = self._flushed = time.monotonic()
        self.progress = Progress(self.note_text)
        if self.done:
            return
        attempt = record.attempt(path, run, command, user_file.sources(self.folder.recipe))
        attempt |= {"check": checked} if checked else {}
        other = changes.check_code(record.attempts(path), attempt, self.accept, path) if run.step else []
        if start and not run.step:
            taken = taken or started(run, start)
        preprocess.write(path, run.data)
        self.folder.settle()
        differing = [*self.folder.changed, *other]
        record.write(path, run, name, {**attempt, **({"changed": differing} if differing else {})}, taken.record() if taken else None)
        self.events.tell("continue" if run.step else "start", run.step, total=run.total)
        if differing:
            self.events.tell("changed", run.step, fields=[line.strip() for line in differing])
            self.tell(messages.CHANGED_SINCE, difference="\n".join(differing))
        if run.step:
            self.tell(messages.CONTINUING, step=run.step, total=run.total, folder=path)
        else:
            for note in run.data.preprocess.get("notes", ()):
                self.tell(Sentence(**{lang: text.replace("{", "{{").replace("}", "}}") for lang, text in note.items()}))
            for line in taken.said() if taken else ():
                self.note_text(line)
                self._tell(line)
            self.tell(messages.TRAINING_IN, folder=path)

    def _load(self) -> list[str]:
        """Go on from the newest whole checkpoint, if there is one; the fields in which the recipe is not the one it was saved with."""
        checkpoints = self.folder.checkpoints
        if not checkpoints.exists():
            return []
        checkpoint.recover(checkpoints)
        newest, passed_over = checkpoint.newest_valid(checkpoints)
        if newest is None and passed_over:
            raise BadInput(messages.NO_VALID_CHECKPOINT, folder=checkpoints, reasons="; ".join(map(str, passed_over)))
        if newest is None:
            return []
        for reason in passed_over:
            self.events.tell("passed_over", self.run.step, reason=str(reason))
            self.tell(messages.PASSED_OVER, reason=reason, folder=newest.name)
        checkpoint.settle(checkpoints, int(newest.name.removeprefix("step-")))
        saved = checkpoint.extra(newest, "recipe", self.folder.recipe)
        changed = [field for field in saved if saved[field] != self.folder.recipe.get(field)]
        self.run.load(changes.adapted(checkpoint.read(newest, verified=True), self.run, changed))
        self.saver.newest = self.logged = self.run.step
        return changed

    # ---- the middle ----

    def loop(self, watchers: Sequence[Watcher], stop: Stop) -> None:
        watchers, self._stopper = (self.progress, *watchers), stop
        try:
            with stop.in_steps():
                self._steps(watchers)
            self._check_flags()
            if self.saver.newest != self.run.step:
                self._write(self.run.step, set(), {})
            self.saver.wait()
        except OSError as error:
            raise checkpoint.no_space(error, self.folder.path, 0) from error
        except (MemoryError, RuntimeError) as error:  # what could be cut was cut: an optimiser's state, a technique's copies
            if not out_of_memory(error):
                raise
            raise NoMemory(messages.NO_MEMORY_ELSEWHERE, step=self.run.step, reason=str(error)[:200]) from error

    def _steps(self, watchers: Sequence[Watcher]) -> None:
        last = time.monotonic()
        for found in self.run:
            self.note(found)
            for watch in watchers:
                watch(found, self.run)
            now = time.monotonic()
            self._step_took, last = max(self._step_took, now - last), now
            over = found.step < self.run.total and self._no_time_for_another(now)
            if why := self.run.placement.most(self._stopper.asked or over * LIMIT):
                name = "limit" if why == LIMIT else signal.Signals(why).name
                self._stop(found, name, messages.STOPPED_LIMIT if why == LIMIT else messages.STOPPED, signal=name)

    def _no_time_for_another(self, now: float) -> bool:
        """Whether the deadline would come before the end of another step and of the save after it."""
        if self.deadline is None:
            return False
        to_save = 2 * self.saver.longest or 3 * sum(p.nbytes for p in self.run.model.parameters()) / SLOW_DISK
        return now + self._step_took + to_save > self.deadline

    def note(self, found: Report) -> None:
        """Log a step, if it is one to log. Nothing of it is read from the device until the lines are flushed."""
        self.saver.check()
        if found.step == self.logged:  # noted already, just before it was saved
            return
        self.logged = found.step
        outcome = found.outcome
        self._flags.append((found.step, outcome.overflow, outcome.scale))
        if "nonfinite_in" in found.metrics:
            self._tell_culprit(found)
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

    def _tell_culprit(self, found: Report) -> None:
        where, ids, back = (found.metrics.get(name) for name in ("nonfinite_in", "nonfinite_ids", "rolled_back_to"))
        self._culprits[found.step] = {"where": where, "samples": ids, **({} if back is None else {"rolled_back_to": back})}
        self._skipped += 1
        if self._skipped in (1, 10, 100, 1000, 10000):
            self.tell(messages.STEP_SKIPPED, step=found.step, where=where, ids=said(ids or []), count=self._skipped)
        if back is not None:
            self.tell(messages.ROLLED_BACK, step=back)

    def save(self, run: Run, found: Report) -> None:
        """What the loop calls when a report asks to be kept: the log is durable up to this step before the checkpoint is."""
        with self._stopper.saving():
            self.note(found)
            self._write(found.step, found.save, found.metrics)

    def _write(self, step: int, kinds: set[str], metrics: dict[str, Any]) -> None:
        self.metrics.sync()
        self.saver.save(step, "best" in kinds, {"metrics": log.plain(metrics), "recipe": self.folder.recipe})

    def _saved(self, step: int, best: bool) -> None:
        self.events.tell("checkpoint", step, best=best)

    def _check_flags(self) -> None:
        """Read, at once, whether the steps since the last look were finite."""
        if not self._flags:
            return
        flags, self._flags = self._flags, []
        overflow = torch.stack([flag for _, flag, _ in flags]).tolist()
        for (step, _, scale), bad in zip(flags, overflow):
            self._streak = self._streak + 1 if bad else 0
            if bad:
                self.events.tell("nonfinite", step, **self._culprits.pop(step, {"loss_scale": scale}))
            if self._streak >= min(HOPELESS, self.run.total):
                raise Diverged(messages.DIVERGED_RUN, count=self._streak, step=step, folder=self.folder.path)

    def _stop(self, found: Report, reason: str, sentence: Sentence, **values: Any) -> None:
        with self._stopper.saving():
            if self.saver.newest != found.step:
                self.save(self.run, found)
            self.saver.wait()
            self.events.tell("stopped", found.step, signal=reason)
            report.write(self.folder.path)
            raise Stopped(sentence, step=found.step, total=self.run.total, folder=self.folder.path, **values)

    def finish(self) -> finish.Result:
        """See `finish.finish`."""
        return finish.finish(self)

    # ---- words ----

    def tell(self, sentence: Sentence, **values: Any) -> None:
        """Say a sentence to whoever watches, and in train.log."""
        text = say(sentence, **values)
        self.note_text(text)
        self._tell(text)

    def notice(self, event: str, sentence: Sentence, **values: Any) -> None:
        """What a placement had to change while training: said at once, and an event."""
        self.events.tell(event, **{"step": self.run.step, **values})
        self.tell(sentence, **values)

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
                    named = (
                        {key: error.values[key] for key in ("where", "samples") if key in error.values}
                        if isinstance(error, Trouble)
                        else {}
                    )
                    self.events.tell("failed", self.run.step, reason=text, **named)
            finally:
                for file in ("metrics", "events", "text"):
                    if hasattr(self, file):
                        getattr(self, file).close()


def _is_final(line: dict[str, Any]) -> bool:
    return any(name.startswith("test_") for name in line)


def started(run: Run, start: str) -> Taken:
    """The weights that `start` names, in the model. Raises what `use.start_from` does."""
    from danlu.use.start_from import start_from

    return start_from(run, start)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
