"""R21: ugly text (invalid UTF-8, marks, zero bytes, lone surrogates, CRLF, a line of 50 MB): a sentence or the same tokens, in 1 GB."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from danlu.errors import BAD_INPUT
from exam.harness import environment, settle, size

PLAIN = "".join(f"the cauldron is warm for the {k}th time and the fire is low.\n" for k in range(900))
LONG = 50_000_000
# name, bytes, and what must come of it: the "same" tokens as of the plain text, a sentence that names the file ("said"), or "any"
CASES: list[tuple[str, bytes, str]] = [
    ("plain.txt", PLAIN.encode(), "same"),
    ("mark.txt", b"\xef\xbb\xbf" + PLAIN.encode(), "same"),
    ("crlf.txt", PLAIN.replace("\n", "\r\n").encode(), "same"),
    ("cr.txt", PLAIN.replace("\n", "\r").encode(), "same"),
    ("utf16.txt", PLAIN.encode("utf-16"), "same"),
    ("utf16be.txt", b"\xfe\xff" + PLAIN.encode("utf-16-be"), "same"),
    ("gb18030.txt", ("丹炉火候\n" * 400).encode("gb18030"), "any"),
    ("invalid.txt", PLAIN.encode() + b"\xff\xfe\xfa" + PLAIN.encode(), "said"),
    ("half.txt", PLAIN.encode() + "炉".encode()[:2], "said"),
    ("zero.txt", PLAIN.encode() + b"\0" + PLAIN.encode(), "said"),
    ("surrogate.txt", PLAIN.encode() + b"\xed\xa0\x80" + PLAIN.encode(), "said"),
    ("overlong.txt", PLAIN.encode() + b"\xc0\xaf" + PLAIN.encode(), "any"),
    ("empty_lines.txt", (PLAIN + "\n" * 5000 + PLAIN).encode(), "any"),
    ("controls.txt", (PLAIN + "".join(map(chr, range(1, 32))) + "\x7f\u200b\u202e\ufeff" + PLAIN).encode(), "any"),
    ("emoji.txt", (PLAIN + "🔥👩‍🔬e\u0301" * 200).encode(), "any"),
    ("only_spaces.txt", b" " * 20_000, "any"),
]
PROBE = """
import json, os, resource, sys
from danlu.cli.main import main
import danlu.core, danlu.run.train, torch
torch.set_num_threads(1)
found = {}
for name in sys.argv[1:]:
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        text = os.dup(2)
        said = os.open(name + ".said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 2)
        code = main(["train", "text", f"data.path={name}", "data.level=characters", "data.length=32", "model.width=16", "model.depth=1",
                     "model.heads=2", "steps=3", "epochs=null", "validate=false", "--out", "run-" + name, "--quiet"])
        os.write(write, json.dumps([code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]).encode())
        os._exit(0)
    os.close(write)
    answer = b""
    while part := os.read(read, 65536):
        answer += part
    os.close(read)
    os.waitpid(pid, 0)
    found[name] = json.loads(answer) if answer else None
print("FOUND", json.dumps(found))
"""


@pytest.mark.slow
def test_ugly_text(tmp_path: Path) -> None:
    cases = list(CASES)
    if size(False, True):
        cases.append(("long_line.txt", b"a long line of ordinary words " * (LONG // 30), "any"))
    for name, content, _ in cases:
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-c", PROBE, *(name for name, _, _ in cases)]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=900)
    assert "FOUND" in done.stdout, done.stderr[-2000:]
    found, failures, most = json.loads(done.stdout.rpartition("FOUND")[2]), [], 0.0
    losses = {}
    for name, _, wanted in cases:
        said = (tmp_path / f"{name}.said").read_text(errors="replace").strip()
        if found[name] is None:
            failures.append(f"{name}: the process died")
            continue
        code, memory = found[name]
        most = max(most, memory)
        if memory > 1000 or "Traceback" in said:
            failures.append(f"{name}: {memory:.0f} MB: {said[-200:]}")
        if wanted == "said" and (code != BAD_INPUT or name not in said):
            failures.append(f"{name}: exit code {code}: {said[-200:]}")
        if wanted != "said" and code not in (0, *((BAD_INPUT,) if wanted == "any" else ())):
            failures.append(f"{name}: exit code {code}: {said[-200:]}")
        if wanted == "same" and code == 0:
            lines = (tmp_path / f"run-{name}" / "metrics.jsonl").read_text().splitlines()
            losses[name] = [json.loads(line).get("loss") for line in lines]
    failures += [f"{name}: other tokens than plain.txt" for name, seen in losses.items() if seen != losses["plain.txt"]]
    settle("R21", len(cases), failures, most_megabytes=most, of_which_before=_base())


def _base() -> float:
    """Megabytes that this process itself takes, for comparison."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 if os.name == "posix" else 0)
