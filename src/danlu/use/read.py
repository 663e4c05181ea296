"""A run's metrics as a table, and where its folder says they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from danlu import messages
from danlu.errors import BadInput
from danlu.run import log


def lines(run: str | Path) -> list[dict[str, Any]]:
    """Every line of metrics.jsonl as it was written, in order. Raises BadInput for a folder without a run."""
    path = Path(run) / "metrics.jsonl"
    if not path.is_file():
        raise BadInput(messages.NO_RUN_THERE, folder=run, file="metrics.jsonl")
    return log.read(path)


def read(run: str | Path) -> Any:
    """A pandas DataFrame with a row for each logged step and a column for each metric; NaN where a step has none.

    Raises BadInput for a folder without a run, and when pandas is not installed (`pip install 'danlu[table]'`).
    """
    return frame(lines(run))


def frame(found: list[dict[str, Any]]) -> Any:
    """Logged lines as a DataFrame. Raises BadInput when pandas is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise BadInput(messages.READ_EXTRA) from error
    return pandas.DataFrame(found, columns=names(found)).apply(pandas.to_numeric, errors="coerce")


def names(found: list[dict[str, Any]]) -> list[str]:
    """The columns of the table, in the order of their first lines; `nonfinite` names metrics and is none."""
    return [name for name in dict.fromkeys(key for line in found for key in line) if name != "nonfinite"]
