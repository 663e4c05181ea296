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
    """1 to 2: `checkpoint` remembers which of its steps were the best, and every run has `nonfinite`; before, neither had a memory."""
    new = {"checkpoint.0": {"ranked": ()}, "nonfinite.0": {"streak": 0, "kept": None, "kept_step": 0}}
    return {**state, "techniques": {**new, **state["techniques"]}}


STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _ranked}
