"""`report.html`: a run on one page that needs no network and no program: result, curves, recipe, data, machine, events, what to do next."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.describe import yaml12
from danlu.errors import Sentence
from danlu.run import checkpoint, curve, durable, log
from danlu.run.folder import read_json
from danlu.run.page import both, page, table, tile
from danlu.run.progress import duration

SHOWN_EVENTS = 40
WEIGHTS = "model.safetensors"  # what a finished run leaves to use: the weights that were tested
_NOT_METRICS = {"step", "epoch", "seconds", "rows_per_second", "lr", "loss", "best_step"}
_NAMES = {
    "start": messages.EVENT_START,
    "continue": messages.EVENT_CONTINUE,
    "checkpoint": messages.EVENT_CHECKPOINT,
    "nonfinite": messages.EVENT_NONFINITE,
    "halved": messages.EVENT_HALVED,
    "stopped": messages.EVENT_STOPPED,
    "changed": messages.EVENT_CHANGED,
    "passed_over": messages.EVENT_PASSED_OVER,
    "failed": messages.EVENT_FAILED,
    "done": messages.EVENT_DONE,
}


def write(folder: Path) -> Path:
    """Write `folder/report.html` from what the run folder holds, and return its path. Raises BadInput when there is no run."""
    path = folder / "report.html"
    durable.replace(path, html(folder))
    return path


def html(folder: Path) -> str:
    """The page as text."""
    recipe, record = read_json(folder / "recipe.json"), read_json(folder / "record.json")
    lines, events = log.read(folder / "metrics.jsonl"), log.read(folder / "events.jsonl")
    done = next((event for event in reversed(events) if event.get("event") == "done"), None)
    best = done.get("best_step") if done else _step_of(checkpoint.named(folder / "checkpoints", "best"))
    parts = [
        _head(folder, record, events, done),
        _section(messages.PAGE_RESULT, _result(record, lines, events, done, best)),
        _section(messages.PAGE_CURVES, _curves(lines, events, best)),
        _section(messages.PAGE_NEXT, _next(folder)),
        _section(messages.PAGE_RECIPE, f"<pre>{escape(yaml12.write(recipe))}</pre>"),
        _section(messages.PAGE_DATA, table(_data(record.get("data", {})))),
        _section(messages.PAGE_MACHINE, table(_machine(record))),
        _section(messages.PAGE_EVENTS, _events(events)),
    ]
    return page(f"{record.get('name', 'run')} · {folder.name} · danlu", "".join(parts))


def _section(title: Sentence, inside: str) -> str:
    return f"<section><h2>{both(title)}</h2>{inside}</section>\n"


def _head(folder: Path, record: dict[str, Any], events: list[dict[str, Any]], done: Any) -> str:
    last = events[-1].get("event") if events else None
    kind, state = {
        "done": ("good", messages.PAGE_FINISHED),
        "stopped": ("wait", messages.PAGE_STOPPED),
        "failed": ("wrong", messages.PAGE_FAILED),
    }.get("done" if done else str(last), ("wait", messages.PAGE_RUNNING))
    attempts = record.get("attempts") or [{}]
    time = str(record.get("created", "")).replace("T", " ")[:16]
    started = both(messages.PAGE_STARTED, time=time, host=attempts[0].get("host", "?"))
    reason = f'<p class="wrong">{escape(str(events[-1].get("reason", "")))}</p>' if last == "failed" and not done else ""
    badge = f'<span class="badge {kind}">{both(state)}</span>'
    return f'<header><h1>{escape(folder.resolve().name)}{badge}</h1><p class="soft">{started}</p>{reason}</header>\n'


def _result(record: dict[str, Any], lines: list[dict[str, Any]], events: list[dict[str, Any]], done: Any, best: int | None) -> str:
    test = {name: value for name, value in (done or {}).get("metrics", {}).items() if _numeric(value)}
    tiles = [
        tile(curve.number(value), escape(name), first=True) for name, value in sorted(test.items(), key=lambda item: item[0] == "test_loss")
    ]
    judged = [line for line in lines if any(name.startswith("val_") for name in line)]
    chosen = next((line for line in judged if line["step"] == best), judged[-1] if judged else {})
    label = messages.PAGE_AT_BEST if chosen.get("step") == best else messages.PAGE_LAST
    tiles += [
        tile(curve.number(value), both(label, name=name), first=not test)
        for name, value in chosen.items()
        if name.startswith("val_") and _numeric(value)
    ]
    last = lines[-1] if lines else {}
    seconds = max((line.get("seconds", 0) for line in lines), default=0)
    skipped = len({event["step"] for event in events if event.get("event") == "nonfinite"})
    step, total = last.get("step", 0), record.get("steps", 0)
    tiles += [tile(f"{step:,}" if step == total else f"{step:,} / {total:,}", both(messages.PAGE_STEPS))]
    tiles += [tile(f"{best:,}", both(messages.PAGE_BEST_STEP))] if best is not None else []
    tiles += [tile(duration(seconds) if seconds >= 60 else f"{seconds:.1f} s", both(messages.PAGE_TIME))]
    tiles += [tile(curve.number(record["parameters"]), both(messages.PAGE_PARAMETERS))] if _numeric(record.get("parameters")) else []
    tiles += [tile(f"{skipped:,}", both(messages.PAGE_SKIPPED))] if skipped else []
    note = ""
    if test:
        note = both(messages.PAGE_TEST_LAST) if best is None else both(messages.PAGE_TEST_NOTE, step=f"{best:,}")
    return f'<div class="tiles">{"".join(tiles)}</div><p class="soft">{note}</p>'


def _curves(lines: list[dict[str, Any]], events: list[dict[str, Any]], best: int | None) -> str:
    columns = {
        name: curve.Line(name, *found) for name, found in log.columns(lines).items() if name != "best_step" and not name.startswith("test_")
    }
    bad = sorted({event["step"] for event in events if event.get("event") == "nonfinite"})[:200]
    losses = [columns[name] for name in ("loss", "val_loss") if name in columns]
    terms = [line for name, line in columns.items() if name not in _NOT_METRICS and not name.startswith("val_") and len(line.steps) > 1]
    pictures = [(messages.PAGE_LOSS, losses)]
    for name, line in columns.items():
        if name.startswith("val_") and name != "val_loss":
            title = Sentence(*(text.format(name=name.removeprefix("val_")) for text in messages.PAGE_METRIC))
            pictures.append((title, [line]))
    pictures += [(Sentence(line.name, line.name), [line]) for line in terms]
    pictures += [
        (title, [columns[name]])
        for name, title in (("lr", messages.PAGE_RATE), ("rows_per_second", messages.PAGE_SPEED))
        if name in columns
    ]
    from_zero = (messages.PAGE_RATE, messages.PAGE_SPEED)
    drawn = [(title, curve.svg(title, found, messages.PAGE_STEP, best, bad, zero=title in from_zero)) for title, found in pictures]
    figures = [f"<figure><figcaption>{both(title)}</figcaption>{picture}</figure>" for title, picture in drawn if picture]
    if not figures:
        return f'<p class="soft">{both(messages.PAGE_NO_CURVES)}</p>'
    notes = [both(messages.PAGE_BEST_MARK)] if best is not None else []
    notes += [both(messages.PAGE_BAD_MARK)] if bad else []
    return f'<div class="curves">{"".join(figures)}</div><p class="soft">{" ".join(notes)}</p>'


def _next(folder: Path) -> str:
    run = str(folder if folder.name else folder.resolve())
    run = f'"{run}"' if " " in run else run
    commands = [
        (messages.PAGE_GO_ON, f"danlu resume {run}"),
        (messages.PAGE_COMPARE, f"danlu plot {run} OTHER"),
        (messages.PAGE_AGAIN, f"danlu train {run}/recipe.json"),
    ]
    if (folder / WEIGHTS).exists():
        loaded = f"load_file({json.dumps(str(folder / WEIGHTS), ensure_ascii=False)})"
        commands.append((messages.PAGE_WEIGHTS, f"from safetensors.torch import load_file\nmodel.load_state_dict({loaded})"))
    return "".join(f"<p>{both(what)}</p><pre>{escape(how)}</pre>" for what, how in commands)


def _data(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    facts, rows = data.get("facts", {}), data.get("rows", {})
    yield both(messages.PAGE_TASK), str(facts.get("task", ""))
    yield both(messages.PAGE_ROWS), " / ".join("–" if rows.get(split) is None else f"{rows[split]:,}" for split in ("train", "val", "test"))
    yield both(messages.PAGE_SHAPE), " × ".join(map(str, facts.get("shape") or []))
    yield both(messages.PAGE_OUTPUTS), str(facts.get("outputs", ""))
    labels = [str(label) for label in facts.get("labels") or []]
    yield both(messages.PAGE_LABELS), ", ".join(labels[:20]) + (" …" if len(labels) > 20 else "")
    yield both(messages.PAGE_FINGERPRINT), str(data.get("fingerprint", ""))


def _machine(record: dict[str, Any]) -> Iterator[tuple[str, str | Sentence]]:
    attempts = record.get("attempts") or [{}]
    last = attempts[-1]
    yield both(messages.PAGE_COMMAND), " ".join(map(str, last.get("command") or []))
    yield both(messages.PAGE_SEED), str(record.get("seed", ""))
    for name, found in (last.get("code") or {}).items():
        if found:
            commit = str(found["commit"])[:12]
            changed = tuple(text.format(commit=commit) for text in messages.PAGE_CHANGED)
            yield f"{both(messages.PAGE_CODE)} ({escape(name)})", Sentence(*changed) if found.get("changed") else commit
    yield both(messages.PAGE_SOURCES), ", ".join(str(source.get("path")) for source in last.get("sources", []))
    packages = last.get("packages") or {}
    names = [name for name in ("torch", "numpy", "safetensors", "scikit-learn", "transformers", "timm", "tokenizers") if name in packages]
    shown = [f"danlu {last.get('danlu')}", f"Python {last.get('python')}", *(f"{name} {packages[name]}" for name in names)]
    yield both(messages.PAGE_PACKAGES), ", ".join(shown)
    device = last.get("device") or {}
    yield both(messages.PAGE_DEVICE), " ".join(str(device[key]) for key in ("type", "name") if device.get(key))
    yield both(messages.PAGE_CPU), f"{last.get('cpu')}, {last.get('cores')} / {last.get('threads')}"
    yield both(messages.PAGE_SYSTEM), str(last.get("system", ""))
    yield both(messages.PAGE_STARTS), str(len(attempts))


def _events(events: list[dict[str, Any]]) -> str:
    heads = "".join(
        f"<th>{both(title)}</th>" for title in (messages.PAGE_WHEN, messages.PAGE_STEP, messages.PAGE_EVENT, messages.PAGE_DETAIL)
    )
    rows = []
    for event in events[-SHOWN_EVENTS:]:
        kind = str(event.get("event"))
        name = messages.EVENT_BEST if kind == "checkpoint" and event.get("best") else _NAMES.get(kind, Sentence(kind, kind))
        detail = str(event.get("reason") or event.get("signal") or "")
        when = str(event.get("time", "")).replace("T", " ")[:19]
        rows.append(
            f"<tr><td>{escape(when)}</td><td>{escape(str(event.get('step', '')))}</td><td>{both(name)}</td><td>{escape(detail)}</td></tr>"
        )
    more = len(events) - SHOWN_EVENTS
    note = f'<p class="soft">{both(messages.PAGE_MORE, count=more)}</p>' if more > 0 else ""
    return f'{note}<div class="wide"><table class="events"><tr>{heads}</tr>{"".join(rows)}</table></div>'


def _numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _step_of(folder: Path | None) -> int | None:
    return int(folder.name.removeprefix("step-")) if folder else None
