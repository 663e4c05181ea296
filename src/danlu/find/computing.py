"""Which of danlu's modules the figures of a recipe or a lesson follow from, and their source as far as it computes.

Sentences, names and files change no figure, so a digest of this changes only when figures may. What is loaded by name at run time is not
seen: a recipe or a lesson imports what it uses.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
COMPUTES = {
    "build", "core", "data", "drive", "keys", "losses", "metrics", "nets", "optim", "placement", "recipes", "stages", "study", "techniques",
}  # fmt: skip


def modules(first: Iterable[str]) -> dict[str, Path]:
    """The modules that these names import, however deep, as far as they compute."""
    found: dict[str, Path] = {}
    waiting = list(first)
    while waiting:
        module = waiting.pop()
        path = file_of(module)
        if module not in found and path is not None and module.split(".")[1] in COMPUTES:
            found[module] = path
            waiting += imports(ast.parse(path.read_text("utf-8")))
    return found


def file_of(module: str) -> Path | None:
    """The file of a module of danlu by its dotted name, or None."""
    parts = module.split(".")
    path = PACKAGE.joinpath(*parts[1:]).with_suffix(".py")
    return path if parts[0] == "danlu" and parts[1:] and path.is_file() else None


def imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names of everything that is imported, anywhere in the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def computing(path: Path) -> str:
    """The source without comments, docstrings, layout and imports (what it imports is there itself)."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            said = ast.get_docstring(node) is not None
            kept = [line for line in node.body[said:] if not isinstance(line, ast.Import | ast.ImportFrom)]
            node.body = kept or [ast.Pass()]
    return ast.unparse(tree)


def digest(file: Path) -> str:
    """SHA-256 of the computing source of a file and of all of danlu that it imports."""
    own = imports(ast.parse(file.read_text("utf-8")))
    parts = [computing(file), {module: computing(path) for module, path in sorted(modules(own).items())}]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
