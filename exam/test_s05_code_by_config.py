"""S05: a recipe, a setting or a flag that names code in any other way than `file.py:Name` builds nothing and runs nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from danlu.errors import BAD_INPUT
from exam.harness import run, settle, size

NAMES = (
    "os.system", "os:system", "subprocess.Popen", "builtins.eval", "builtins:exec", "torch.optim.SGD", "torch.nn:Linear",
    "danlu.nets.mlp:MLP",
    "importlib.import_module", "__import__('os').system('touch canary')", "lambda: open('canary', 'w')", "python/object/apply:os.system",
    "file:///tmp/evil.py", "evil", "evil.Evil",
    "evil.txt:Evil", "evil.py", "evil.py:", ":Evil", "evil.py:Evil.run", "${touch canary}",
    "$(touch canary)", "`touch canary`", "{{7*7}}", "%(touch canary)s", "env:HOME", "http://127.0.0.1/evil.py:Evil", "pkg_resources:evil",
)  # fmt: skip
FIELDS = ("model", "data", "loss", "optimizer", "schedule", "placement")
FORMS: tuple[Any, ...] = (
    {"_target_": "os.system", "command": "touch canary"},
    {"_target_": "evil.Evil"},
    {"class_path": "evil.Evil", "init_args": {}},
    {"class": "evil.Evil"},
    {"$ref": "evil.py#Evil"},
    {"!evil": {}},
    {"mlp": {"__class__": "evil.Evil"}},
    {"mlp": {"hidden": "__import__('os').system('touch canary')"}},
)
EVIL = "open('canary', 'w').close()\nclass Evil:\n    def __init__(self, *a, **k): pass\n    def run(self): pass\n"


@pytest.mark.slow
def test_only_names_build(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(EVIL)
    (tmp_path / "evil.txt").write_text(EVIL)
    base = {"model": "mlp", "data": "digits", "steps": 2, "batch_size": 32}
    cases: list[tuple[str, list[str]]] = []
    for number, name in enumerate(NAMES):
        field = FIELDS[number % len(FIELDS)]
        cases.append((f"{field}={name}", ["explain", "digits", f"{field}={name}"]))
        cases.append((f"--with {name}", ["explain", "digits", "--with", name]))
        path = tmp_path / f"name-{number}.yaml"
        path.write_text(json.dumps({**base, field: name}))
        cases.append((f"{field}: {name}", ["explain", path.name]))
    for number, form in enumerate(FORMS):
        for field in ("model", "optimizer"):
            path = tmp_path / f"form-{number}-{field}.yaml"
            path.write_text(json.dumps({**base, field: form}))
            cases.append((f"{field}: {form}", ["explain", path.name]))
    failures = []
    for what, words in cases[:: size(5, 1)]:
        ended = run(*words, cwd=tmp_path)
        if (tmp_path / "canary").exists():
            (tmp_path / "canary").unlink()
            failures.append(f"{what}: code ran")
        elif ended.code != BAD_INPUT:
            failures.append(f"{what}: exit code {ended.code}: {ended.last}")
    (tmp_path / "on_purpose.yaml").write_text(json.dumps({**base, "model": "evil.py:Evil"}))
    run("explain", "on_purpose.yaml", cwd=tmp_path)
    if not (tmp_path / "canary").exists():
        failures.append("a file that is named on purpose did not run: the canary proves nothing")
    settle("S05", len(cases[:: size(5, 1)]), failures)
