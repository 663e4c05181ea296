"""Nothing that is read may run code: a walk through the syntax tree of the whole product."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "danlu"
UNPICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
RUN_CODE = {
    "eval", "exec", "torch.load", "torch.jit.load", "torch.export.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load",
}  # fmt: skip
# Each call that may, and why.
ALLOWED = {
    ("use/import_weights.py", "pickle"),  # names the unpickler's errors
    ("use/import_weights.py", "torch.load"),  # `danlu import`: foreign weights, weights_only=True
    ("use/program.py", "torch.export.load"),  # an export that was written a moment ago is read back to be compared
    ("use/bundle_predict.py", "torch.export.load"),  # a bundle runs its own program, in the bundle, not in danlu
}


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def found(tree: ast.AST) -> list[tuple[int, str]]:
    """(line, what) of everything in the tree that could run code out of a file."""
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wrong += [(node.lineno, alias.name) for alias in node.names if alias.name.partition(".")[0] in UNPICKLES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in UNPICKLES:
            wrong.append((node.lineno, node.module or ""))
        elif isinstance(node, ast.ImportFrom) and node.module == "torch":
            wrong += [(node.lineno, "torch.load") for alias in node.names if alias.name == "load"]
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in RUN_CODE:
                wrong.append((node.lineno, name))
            wrong += [
                (node.lineno, "allow_pickle")
                for word in node.keywords
                if word.arg == "allow_pickle" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
            ]
            wrong += [
                (node.lineno, "trust_remote_code")
                for word in node.keywords
                if word.arg == "trust_remote_code" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
            ]
    return wrong


def test_the_walk_sees_what_it_looks_for():
    bad = """
import pickle, os
from joblib import load
import torch
from torch import load as read
x = torch.load("f"); numpy.load("f", allow_pickle=True); yaml.load(s); eval("1"); exec(s)
numpy.load("f", allow_pickle=False); model.eval(); AutoModel.from_pretrained(n, trust_remote_code=yes)
"""
    names = [name for _, name in found(ast.parse(bad))]
    assert sorted(names) == sorted(
        ["pickle", "joblib", "torch.load", "torch.load", "allow_pickle", "yaml.load", "eval", "exec", "trust_remote_code"]
    )


def test_nothing_in_the_product_runs_code_from_a_file():
    files = sorted(SOURCE.rglob("*.py"))
    assert len(files) > 150
    wrong = {
        f"{path.relative_to(SOURCE)}:{line} {name}"
        for path in files
        for line, name in found(ast.parse(path.read_text("utf-8")))
        if (str(path.relative_to(SOURCE)), name) not in ALLOWED
    }
    assert not wrong
    for path, name in ALLOWED:
        assert name in {what for _, what in found(ast.parse((SOURCE / path).read_text("utf-8")))}, f"{path} needs no leave for {name}"
