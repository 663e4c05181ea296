"""S05: a recipe, a flag or a file of JSON that asks for code by a name builds nothing but registered things; nothing is executed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exam.files import inside, unclear
from exam.harness import settle

NAMES = (
    "os.system", "os:system", "builtins.eval", "subprocess.Popen", "danlu.cli.main:main", "danlu.cli.main.main", "importlib.import_module",
    "torch.hub.load", "pickle.loads", "python:os.system", "posix.mkdir", "__import__('os').mkdir", "danlu.mlp", "../mlp", "mlp;mkdir",
    "no/such/file.py:Net", "os.py:system", "entry_points", "console_scripts", "danlu.techniques",
)  # fmt: skip
FIELDS = ("model", "data", "loss", "optimizer", "schedule", "placement")
BASE = {"model": "mlp", "data": "digits", "optimizer": "adamw", "steps": 2, "batch_size": 32}


@pytest.mark.slow
def test_code_by_config(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    mkdir = f"__import__('os').mkdir('{canary}')"
    asked: list[tuple[str, dict | None, tuple[str, ...]]] = []
    for number, name in enumerate(NAMES):
        field = FIELDS[number % len(FIELDS)]
        asked.append((f"{field}: {name}", {**BASE, field: name}, ()))
        asked.append((f"{field}: {{{name}: ...}}", {**BASE, field: {name: {"path": str(canary), "args": [str(canary)]}}}, ()))
        asked.append((f"technique {name}", {**BASE, "techniques": [{name: {"path": str(canary)}}]}, ()))
    for key in ("_target_", "_partial_", "class_path", "object", "__class__", "type", "$ref", "callable", "_name_"):
        asked.append((key, {**BASE, "model": {key: "os.mkdir", "args": [str(canary)]}}, ()))
        asked.append((f"{key} below", {**BASE, "model": {"mlp": {key: "os.mkdir", "path": str(canary)}}}, ()))
        asked.append((f"{key} at the top", {**BASE, key: "os.mkdir"}, ()))
    for text in (mkdir, f"mlp({mkdir})", f"mlp(hidden={mkdir})", f"mlp(hidden=[{mkdir} for _ in [1]])", f"{{os.mkdir: [{canary}]}}",
                 f"!!python/object/apply:os.mkdir [{canary}]", f"$(mkdir {canary})", f"`mkdir {canary}`", f"mlp(**{{'a': {mkdir}}})",
                 f"mlp(hidden=(lambda: {mkdir})())", "{0.__class__.__mro__}", "%(os)s", "${oc.env:HOME}"):  # fmt: skip
        asked.append((f"model={text}", None, ("train", "digits", f"model={text}", "steps=2")))
        asked.append((f"--with {text}", None, ("train", "digits", "--with", text, "steps=2")))
    failures = []
    for number, (what, recipe, words) in enumerate(asked):
        if recipe is not None:
            (tmp_path / f"{number}.json").write_text(json.dumps(recipe))
            words = ("train", f"{number}.json", "--out", f"run-{number}")
        ended = inside(*words, cwd=tmp_path)
        if wrong := unclear(ended):
            failures.append(f"{what}: {wrong}")
        if canary.exists():
            failures.append(f"{what}: it was executed")
            canary.rmdir()
    made = [path.name for path in tmp_path.iterdir() if path.name.startswith("run")]
    failures += [f"{name} was made" for name in made]
    settle("S05", len(asked), failures, executed=0 if not canary.exists() else 1)
