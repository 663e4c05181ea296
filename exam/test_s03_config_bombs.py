"""S03: recipe files that are bombs (tags that run code, aliases, 100 MB, depth 10,000, double keys): refused within a second and 200 MB."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from danlu.errors import BAD_INPUT
from exam.harness import environment, settle

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
BOMBS = {
    "apply.yaml": "model: !!python/object/apply:os.system ['touch canary']\ndata: digits\n",
    "new.yaml": "model: !!python/object/new:subprocess.Popen [['touch', 'canary']]\n",
    "name.yaml": "model: !!python/name:os.system\n",
    "module.yaml": "!!python/module:os\n",
    "aliases.yaml": LAUGHS + "model: *a11\ndata: digits\n",
    "aliases_in_model.yaml": f"model: {{mlp: {{hidden: *a11}}}}\n{LAUGHS}",
    "self.yaml": "model: &m {mlp: *m}\ndata: digits\n",
    "large.yaml": "model: mlp\ndata: digits\n# " + "x" * 100_000_000,
    "large_list.yaml": "model: {mlp: {hidden: [" + "1, " * 3_000_000 + "1]}}\ndata: digits\n",
    "deep.yaml": "model: " + "[" * 10_000 + "]" * 10_000 + "\n",
    "deep_maps.yaml": "model: " + "{a: " * 10_000 + "1" + "}" * 10_000 + "\n",
    "deep.json": '{"model": ' + "[" * 10_000 + "]" * 10_000 + "}",
    "large.json": '{"model": "' + "x" * 100_000_000 + '"}',
    "twice.yaml": "model: mlp\ndata: digits\nsteps: 3\nmodel: cnn\n",
    "twice.json": '{"model": "mlp", "data": "digits", "steps": 3, "model": "cnn"}',
    "twice_inside.yaml": "model: {mlp: {hidden: [4], hidden: [5]}}\ndata: digits\nsteps: 3\n",
    "merge.yaml": "base: &b {hidden: [4]}\nmodel: {mlp: {<<: *b}}\ndata: digits\nsteps: 3\n",
    "nul.yaml": "model: mlp\x00\ndata: digits\n",
    "binary.yaml": "model: !!binary aGVsbG8=\ndata: digits\nsteps: 3\n",
    "digits.yaml": "model: mlp\ndata: digits\nsteps: " + "9" * 5000 + "\n",
    "digits.json": '{"model": "mlp", "data": "digits", "steps": ' + "9" * 5000 + "}",
}
# Imports first, then one bomb after the other, each in a child of its own with its own clock and memory.
PROBE = """
import json, os, resource, sys, time
from danlu.cli.main import main
import danlu.describe.recipe_file, danlu.describe.override, danlu.core
names, found = sys.argv[1:], {}
for name in names:
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        code = main(["explain", name, "--yaml"])
        took = time.perf_counter() - began
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
        os.write(write, json.dumps([code, took, grown / 1024]).encode())
        os._exit(0)
    os.close(write)
    text = b""
    while part := os.read(read, 65536):
        text += part
    os.close(read)
    os.waitpid(pid, 0)
    found[name] = json.loads(text) if text else None
print("FOUND", json.dumps(found))
"""


@pytest.mark.slow
def test_bombs(tmp_path: Path) -> None:
    for name, text in BOMBS.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *BOMBS], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300
    )
    found = json.loads(done.stdout.rpartition("FOUND")[2])
    failures, slowest, most = [], 0.0, 0.0
    for name, result in found.items():
        if result is None:
            failures.append(f"{name}: the process died")
            continue
        code, took, grown = result
        slowest, most = max(slowest, took), max(most, grown)
        if code != BAD_INPUT or took > 1 or grown > 200:
            failures.append(f"{name}: exit code {code} after {took:.2f} s with {grown:.0f} MB")
    if (tmp_path / "canary").exists():
        failures.append("a file ran code")
    settle("S03", len(BOMBS), failures, slowest_seconds=slowest, most_megabytes=most)
