"""What the items about inputs share: a tree of files as it is now, the peak of a process's memory, and the lines that a failure printed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from danlu.cli.main import CODES, main
from exam.harness import PATIENCE, Ended, environment, noted


def tree(folder: Path) -> dict[str, str]:
    """Every file, link and folder below `folder`: its kind and digest (or target), by its path."""
    found = {}
    for where, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(where, name)
            key = str(path.relative_to(folder))
            if path.is_symlink():
                found[key] = f"link {os.readlink(path)}"
            elif path.is_file():
                found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[key] = "folder" if path.is_dir() else "other"
    return found


def error(ended: Ended) -> dict[str, Any]:
    """The JSON that a failure printed under `--json`, or {}."""
    for line in ended.text.splitlines():
        if line.startswith('{"error"'):
            return dict(json.loads(line)["error"])
    return {}


def unclear(ended: Ended, *wanted: str, codes: Sequence[int] = (2,)) -> str:
    """What is wrong with how a command failed: another code, a traceback, no sentence last, a word that is not said. Empty: nothing."""
    _, begins, sentence = f"\n{ended.text}".rpartition("\ndanlu: ")
    if ended.code not in codes or ended.code not in CODES:
        return f"exit code {ended.code}: {ended.text[-300:]}"
    if "Traceback" in ended.text:
        return f"a traceback: {ended.text[-300:]}"
    if ended.code and not (begins and sentence.strip()):
        return f"no sentence last: {ended.text[-300:]}"
    missing = [word for word in wanted if word not in sentence]
    return f"not said: {missing}: {sentence[:300]}" if ended.code and missing else ""


def inside(*arguments: Any, cwd: Path) -> Ended:
    """Run `danlu ARGUMENTS` in this process: for what is refused before anything is trained, a hundred times."""
    began, out = time.monotonic(), io.StringIO()
    before = os.environ.get("DANLU_LANG")
    os.environ["DANLU_LANG"] = "en"
    try:
        with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = main([str(word) for word in arguments])
    finally:
        os.environ.pop("DANLU_LANG") if before is None else os.environ.update(DANLU_LANG=before)
    return noted(Ended(code, out.getvalue(), time.monotonic() - began))


class Measured(NamedTuple):
    """A process that is over: as `Ended`, with the most memory that it held (bytes, resident) and the seconds that it computed."""

    code: int
    text: str
    seconds: float
    memory: int
    busy: float


def measured(*command: str, cwd: Path, patience: float = PATIENCE) -> Measured:
    """Run `python COMMAND` in a process of its own. One that takes longer than `patience` seconds is killed: its code is -9."""
    log = cwd / "measured"
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
    pid = most = 0
    while not pid:
        most = max(most, _peak(process.pid))  # not ru_maxrss, which begins with what the parent held
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if not pid:
            if time.monotonic() - began > patience:
                process.kill()
            time.sleep(0.002)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, text = time.monotonic() - began, log.read_text(encoding="utf-8", errors="replace")
    return Measured(process.returncode, text, seconds, most, used.ru_utime + used.ru_stime)


def _peak(pid: int) -> int:
    """The most memory (bytes, resident) that a process has held since it was executed."""
    try:
        words = Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()
    except OSError:
        return 0
    return int(words[0]) * 1024 if words else 0


DANLU = ("-c", "import sys; from danlu.cli.main import main; sys.exit(main())")
