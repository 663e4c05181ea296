"""States that an older danlu saved, brought to the form of today, one version at a time.

The format's number goes up when what `Run.state` returns changes its form; the step from each number to the next stays here for good.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def migrated(state: Any, found: int, wanted: int) -> Any:
    """`state`, saved with the format `found`, in the format `wanted`. A KeyError: there is no way from there."""
    for version in range(found, wanted):
        state = STEPS[version](state)
    return state


def _ranked(state: dict[str, Any]) -> dict[str, Any]:
    """1 to 2: `checkpoint` remembers which of its steps were the best; before, it had nothing to remember."""
    return {**state, "techniques": {"checkpoint.0": {"ranked": ()}, **state["techniques"]}}


def _watched(state: dict[str, Any]) -> dict[str, Any]:
    """2 to 3: every run has `nonfinite`, and remembers how many rows fit in memory."""
    watched = {"streak": 0, "kept": None, "newer": None, "due": 0, "returns": 0}
    return {
        **state,
        "techniques": {"nonfinite.0": watched, **state["techniques"]},
        "placement": {"step_rows": None, "look_rows": None, **state["placement"]},
    }


STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _ranked, 2: _watched}
