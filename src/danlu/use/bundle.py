"""A folder that turns raw input into predictions without danlu: a program, the preprocessing, and `predict.py`.

The preprocessing is danlu's own source, copied: the modules that `predict.py` reaches, under the name `preprocessing`.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import danlu
from danlu import messages
from danlu.errors import Refused
from danlu.run import preprocess
from danlu.use.load import Trained
from danlu.use.program import torch_export

ENTRY = "danlu.use.bundle_predict"
ROOT = Path(danlu.__path__[0])
NAME = "preprocessing"


def bundle(trained: Trained, path: Path) -> float:
    """Write the folder `path`, and run its program; the largest difference from the model. Raises Refused for a model of another task."""
    kind = trained.form.get("kind")
    if trained.facts.task in ("language", "masked_language") or kind in (None, "arrays"):
        raise Refused(messages.BUNDLE_KIND, task=trained.facts.task, kind=kind)
    path.mkdir()
    difference = torch_export(trained, path / "model.pt2")
    shutil.copyfile(trained.folder / preprocess.FILE, path / preprocess.FILE)
    for name, source in reached(ENTRY).items():
        if name == ENTRY:
            (path / "predict.py").write_text(_renamed(source.read_text(encoding="utf-8")), encoding="utf-8")
            continue
        target = path / NAME / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        package = source.name == "__init__.py" and name != "danlu.messages"  # their faces would reach all of danlu
        target.write_text("" if package else _renamed(source.read_text(encoding="utf-8")), encoding="utf-8")
    text = f"{messages.BUNDLE_README.en}\n\n{messages.BUNDLE_README.zh}\n"
    (path / "README.md").write_text(text, encoding="utf-8")
    started = subprocess.run([sys.executable, str(path / "predict.py"), "--help"], capture_output=True, text=True, check=False)
    if started.returncode:
        raise Refused(messages.BUNDLE_FAILS, reason=started.stderr.strip().splitlines()[-1][:300])
    return difference


def reached(entry: str) -> dict[str, Path]:
    """The modules of danlu that a module imports, at any time, and those that they import; packages' own faces are not gone into."""
    found: dict[str, Path] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        source = _source(name)
        if source is None or name in found:
            continue
        found[name] = source
        waiting += [name.rsplit(".", 1)[0]] if "." in name else []
        if source.name != "__init__.py" or name == "danlu.messages":
            waiting += _imports(ast.parse(source.read_text(encoding="utf-8")))
    return found


def _source(name: str) -> Path | None:
    place = ROOT.joinpath(*name.split(".")[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _imports(tree: ast.Module) -> list[str]:
    """Names of danlu's modules that are imported, but for type checkers."""
    found: list[str] = []
    for node in _walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "danlu":
            found += [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] == "danlu"]
    return found


def _walk(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return []
    return [node, *(inner for child in ast.iter_child_nodes(node) for inner in _walk(child))]


def _renamed(text: str) -> str:
    """The source with danlu's modules under the bundle's name."""
    text = re.sub(r"^(\s*from )danlu\b", rf"\g<1>{NAME}", text, flags=re.M)
    return re.sub(r"^(\s*import )danlu\b", rf"\g<1>{NAME}", text, flags=re.M)
