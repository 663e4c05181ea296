"""`preprocess.json`: what turns raw input into a model's rows, kept with the run, so that the data set itself is no longer needed."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.data.source import Data, Facts
from danlu.errors import BadInput
from danlu.run import durable

FILE = "preprocess.json"
FORMAT = 1


def write(folder: Path, data: Data) -> None:
    """Write the form and the facts of `data`, once: a run that goes on keeps what it began with. Raises BadInput for what is no JSON."""
    path = folder / FILE
    if path.exists():
        return
    try:
        text = json.dumps(
            {"format": FORMAT, "preprocess": data.preprocess, "facts": asdict(data.facts)}, ensure_ascii=False, allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise BadInput(messages.PREPROCESS_NOT_PLAIN, reason=error) from error
    durable.replace(path, text + "\n")


def read(folder: Path) -> tuple[dict[str, Any], Facts]:
    """The form and the facts of the run in `folder`. Raises BadInput where there is no such file, or it is of a newer format."""
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(messages.PREPROCESS_MISSING, folder=folder, file=FILE) from error
    except (OSError, ValueError) as error:
        raise BadInput(messages.PREPROCESS_BROKEN, path=path, reason=error) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        reason = f"format {found.get('format') if isinstance(found, dict) else found!r}"
        raise BadInput(messages.PREPROCESS_BROKEN, path=path, reason=reason)
    known = {field.name for field in fields(Facts)}
    try:
        facts: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in found["facts"].items() if key in known
        }
        return found["preprocess"], Facts(**facts)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(messages.PREPROCESS_BROKEN, path=path, reason=f"{type(error).__name__}: {error}") from error
