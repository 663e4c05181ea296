"""The names of a folder as attributes of its package: `danlu.optim.AdamW`, found by `find` and imported when first used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def face(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of the package `danlu.<folder>`: the class of every name in it that recipes may use."""
    folder = package.removeprefix("danlu.")

    def classes() -> dict[str, Any]:
        from danlu import find
        from danlu.find.source import FOLDERS

        kinds = [kind for kind, where in FOLDERS.items() if where == folder]
        return {found.attribute: found for kind in kinds for found in find.catalogue(kind, others=False)}

    def attribute(name: str) -> Any:
        if name[:1].isupper() and (found := classes().get(name)):
            return found.load()
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return attribute, lambda: sorted(classes())
