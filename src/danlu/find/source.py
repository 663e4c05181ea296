"""Names and their documentation read from Python source, without importing it.

A name is a public top-level dataclass whose docstring has a line `Scope: 1.5` (for a technique, the module's docstring may have it), or,
in `recipes/`, a public function with such a line. In `optim/` a description whose `__call__` takes `params` is an optimizer, any other one
is a schedule.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu.errors import Sentence
from danlu.find.names import snake

FOLDERS = {
    "model": "nets", "data": "data", "loss": "losses", "metric": "metrics", "optimizer": "optim", "schedule": "optim",
    "technique": "techniques", "placement": "placement", "recipe": "recipes",
}  # fmt: skip
SEAMS = ("model", "stream", "objective", "gradient", "update", "reports")
BAR = "｜"  # in the line of a field, between the English and the Chinese


@dataclass(frozen=True)
class Field:
    """One field of a description, as its source says it; `default` is None where a value must be given, `doc` "" where nothing is said."""

    name: str
    annotation: str
    default: str | None
    doc: Sentence


@dataclass(frozen=True)
class Found:
    """A name and where it comes from. `attribute` is the class or function in `module`; `seam` is a technique's folder."""

    kind: str
    name: str
    attribute: str
    module: str
    path: str
    line: int
    seam: str
    summary: str
    chinese: str
    scope: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def said(self) -> Sentence:
        """The summary in both languages: English in both where there is no Chinese."""
        return Sentence(self.summary, self.chinese or self.summary)

    def load(self) -> Any:
        """The class or function itself; imports its module."""
        return getattr(importlib.import_module(self.module), self.attribute)


def read_folder(root: Path, folder: str, package: str) -> tuple[Found, ...]:
    """Every name in a folder of a package that lies at `root`."""
    modules = {}
    for path in sorted((root / folder).rglob("*.py")):
        text = path.read_text("utf-8")
        if "Scope:" in text or "@dataclass" in text:  # the second: a base class that a name inherits fields from
            modules[path] = ast.parse(text)
    classes = {node.name: node for tree in modules.values() for node in tree.body if isinstance(node, ast.ClassDef)}
    return tuple(found for path, tree in modules.items() for found in _module(folder, path, tree, classes, root, package))


def _module(folder: str, path: Path, tree: ast.Module, classes: Mapping[str, ast.ClassDef], root: Path, package: str) -> Iterator[Found]:
    parts = path.relative_to(root).with_suffix("").parts
    module = ".".join((package, *(part for part in parts if part != "__init__")))
    seam = parts[1] if folder == "techniques" and len(parts) > 2 else ""
    about = ast.get_docstring(tree) or ""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
            continue
        said = ast.get_docstring(node) or ""
        scope = _scope(said)
        if isinstance(node, ast.FunctionDef):
            if folder == "recipes" and scope:
                yield Found("recipe", node.name, node.name, module, str(path), node.lineno, "", _first(said), _chinese(said), scope, ())
            continue
        if not scope and seam and "Technique" in _bases(node, classes):
            scope = _scope(about)
        if scope and folder != "recipes" and _is_dataclass(node):
            kind = _kind(folder, node, classes)
            name = _own_name(node) or snake(node.name)
            summary, chinese = _first(said) or _first(about), _chinese(said) or _chinese(about)
            yield Found(kind, name, node.name, module, str(path), node.lineno, seam, summary, chinese, scope, _fields(node, classes))


def _kind(folder: str, node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> str:
    if folder == "optim":
        for each in _lineage(node, classes):
            call = next((f for f in each.body if isinstance(f, ast.FunctionDef) and f.name == "__call__"), None)
            if call is not None:
                return "optimizer" if [a.arg for a in call.args.args][1:2] == ["params"] else "schedule"
        return "optimizer"
    return next(kind for kind, where in FOLDERS.items() if where == folder)


def _lineage(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> Iterator[ast.ClassDef]:
    """The class, then its bases as far as they are in the same folder."""
    yield node
    for base in _base_names(node):
        if base in classes and base != node.name:
            yield from _lineage(classes[base], classes)


def _bases(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> set[str]:
    return {base for each in _lineage(node, classes) for base in _base_names(each)}


def _base_names(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases]


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any(ast.unparse(mark).partition("(")[0].rpartition(".")[2] == "dataclass" for mark in node.decorator_list)


def _own_name(node: ast.ClassDef) -> str | None:
    """The value of a class attribute `name = "..."`; an annotated `name` is a field unless it is a ClassVar."""
    for line in node.body:
        target = line.targets[0] if isinstance(line, ast.Assign) else line.target if isinstance(line, ast.AnnAssign) else None
        if not isinstance(target, ast.Name) or target.id != "name":
            continue
        field = isinstance(line, ast.AnnAssign) and "ClassVar" not in ast.unparse(line.annotation)
        value = getattr(line, "value", None)
        if not field and isinstance(value, ast.Constant):
            return str(value.value)
    return None


def _fields(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    docs: dict[str, Sentence] = {}
    nothing = _both([])
    for each in reversed(list(_lineage(node, classes))):
        docs |= field_docs(ast.get_docstring(each) or "")
        for line in each.body if _is_dataclass(each) else ():
            if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
                continue
            annotation = ast.unparse(line.annotation)
            default = None if line.value is None else ast.unparse(line.value)
            if "ClassVar" not in annotation and "init=False" not in (default or ""):
                fields[line.target.id] = Field(line.target.id, annotation, default, nothing)
    return tuple(Field(f.name, f.annotation, f.default, docs.get(f.name, nothing)) for f in fields.values())


def field_docs(docstring: str) -> dict[str, Sentence]:
    """The lines `field: what it is ｜ 它是什么` of a docstring; indented lines below one go on with it.

    Without Chinese the English is both.
    """
    docs: dict[str, list[str]] = {}
    name = None
    for line in inspect.cleandoc(docstring).splitlines():
        if start := re.match(r"([a-z_][a-z0-9_]*): (.*)", line):
            name = start[1]
            docs[name] = [start[2]]
        elif name and line.startswith(" ") and line.strip():
            docs[name].append(line)
        else:
            name = None
    return {name: _both(lines) for name, lines in docs.items()}


def _both(lines: list[str]) -> Sentence:
    english, _, chinese = "\n".join(lines).partition(BAR)
    english = " ".join(english.split())
    return Sentence(english, "".join(line.strip() for line in chinese.splitlines()) or english)


def inherited_docs(cls: type) -> dict[str, Sentence]:
    """`field_docs` of a class and of all that it inherits from."""
    docs: dict[str, Sentence] = {}
    for each in reversed(cls.__mro__):
        docs |= field_docs(each.__doc__ or "")
    return docs


def summary(docstring: str) -> Sentence:
    """The first line of a docstring and its paragraph `中文:`; English in both where there is none."""
    return Sentence(_first(docstring), _chinese(docstring) or _first(docstring))


def _first(docstring: str) -> str:
    return docstring.strip().partition("\n")[0].strip()


def _chinese(docstring: str) -> str:
    return next(iter(chinese_paragraphs(docstring)), "")


def chinese_paragraphs(docstring: str) -> list[str]:
    """Each paragraph that starts with `中文:`: the first is the summary, the others are what the docstring says below it."""
    found = re.findall(r"^\s*中文[:：]\s*(.+?)(?=\n\s*\n|\n\s*(?:Scope|中文)[:：]|\Z)", docstring, re.MULTILINE | re.DOTALL)
    return ["".join(line.strip() for line in lines.splitlines()) for lines in found]


def _scope(docstring: str) -> tuple[str, ...]:
    found = re.search(r"^\s*Scope:(.*)$", docstring, re.MULTILINE)
    return tuple(re.findall(r"\d+\.\d+", found[1])) if found else ()


def read_entry(kind: str, name: str, module: str, attribute: str) -> Found:
    """An entry point, described from its source where that can be found without importing it."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    places = [Path(p) for p in (spec.submodule_search_locations or [])] if spec else []
    files = [Path(spec.origin)] if spec and spec.origin and not rest else []
    files += [place.joinpath(*rest, "__init__.py") for place in places]
    files += [place.joinpath(*rest).with_suffix(".py") for place in places if rest]
    path = next((file for file in files if file.is_file()), None)
    tree = ast.parse(path.read_text("utf-8")) if path else ast.Module([], [])
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and n.name == attribute), None)
    said = (ast.get_docstring(node) if node else "") or ""
    scope = _scope(said) or _scope(ast.get_docstring(tree) or "")
    fields = _fields(node, classes) if isinstance(node, ast.ClassDef) else ()
    seam = ""
    if kind == "technique" and isinstance(node, ast.ClassDef):
        methods = {f.name for each in _lineage(node, classes) for f in each.body if isinstance(f, ast.FunctionDef)}
        seam = next((s for s in SEAMS if f"wrap_{s}" in methods), "")
    line = node.lineno if node else 0
    return Found(kind, name, attribute, module, str(path or ""), line, seam, _first(said), _chinese(said), scope, fields)
