"""What is not as it was when a run was last gone on with: its code, its packages, and the fields of the recipe that may be changed.

Another recipe or other data is refused by the folder and the record. Other code is shown and needs a yes, since nobody can tell what it
does to the run. The length and the learning rate may be changed on purpose; the change begins at the step where the run goes on.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import danlu
from danlu import messages
from danlu.errors import BadInput, Refused
from danlu.run.folder import differences

if TYPE_CHECKING:
    from danlu.core import Run

CODE = "code"
LENGTH, RATE = ("epochs", "steps"), "optimizer"  # fields of a recipe that a run may go on with changed


@cache
def source_digest() -> str:
    """SHA-256 over the text of every file of danlu."""
    root, digest = Path(danlu.__path__[0]), hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def code_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """One line for each thing that computes and is not as it was: danlu, Python, a package in use, a file of the user's.

    before, now: attempts as `record.json` has them. What the older one does not say is not compared.
    """
    found = differences(_versions(before, now), _versions(now, before))
    if not any(line.strip().startswith("danlu") for line in found) and before.get("source", now["source"]) != now["source"]:
        found += differences({"danlu": before["source"][:12]}, {"danlu": now["source"][:12]})
    old, new = ({kept["path"]: kept["sha256"][:12] for kept in attempt.get("sources", ())} for attempt in (before, now))
    return found + differences(old, new)


def check_code(attempts: Sequence[Mapping[str, Any]], now: Mapping[str, Any], accept: Collection[str], folder: Path) -> list[str]:
    """What changed in the code since the last attempt, one line each. Raises BadInput unless that is nothing or `accept` has "code"."""
    found = code_changes(attempts[-1], now) if attempts else []
    if found and CODE not in accept:
        raise BadInput(messages.OTHER_CODE, folder=folder, difference="\n".join(found))
    return found


def adapted(state: dict[str, Any], run: Run, changed: Collection[str]) -> dict[str, Any]:
    """A saved state as `run` goes on from it whose recipe differs in the fields `changed`.

    Another length: the schedule is laid over the new length as if it had been that from the start; the steps that were made stay as they
    were made. Another rate: it holds from the next step, with the optimiser's memory as it is.
    """
    if set(LENGTH) & set(changed):
        if run.total < state["step"]:
            raise BadInput(messages.UNTIL_PAST, total=run.total, step=state["step"])
        if any(fields.get("stopped") for fields in state["techniques"].values()):
            raise Refused(messages.UNTIL_ENDED, step=state["step"])
        state = {**state, "total": run.total}
    if RATE in changed:
        groups = [{**old, "lr": new["lr"]} for old, new in zip(state["optimizer"]["groups"], run.optimizer.param_groups, strict=True)]
        state = {**state, "optimizer": {**state["optimizer"], "groups": groups}}
    return state


def _versions(attempt: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """danlu's, Python's and each package's version, for those that differ and are in use in this process."""
    found = {name: attempt[name] for name in ("danlu", "python") if name in attempt and name in other}
    mine, theirs = attempt.get("packages", {}), other.get("packages", {})
    differing = [name for name in mine if name in theirs and mine[name] != theirs[name] and name.lower() != "danlu"]
    return found | {name: mine[name] for name in differing if name in _in_use()}


@cache
def _in_use() -> frozenset[str]:
    """The distributions of which this process has imported something."""
    owners = metadata.packages_distributions()
    return frozenset(name for module in {name.partition(".")[0] for name in sys.modules} for name in owners.get(module, ()))
