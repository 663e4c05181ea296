"""Weights imported in a process of their own, which is ended when it takes too long: a pickle of a kilobyte can ask for hours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from danlu import messages
from danlu.errors import BadInput, Sentence
from danlu.use.import_weights import Imported

SECONDS = 60.0  # for a small file, torch's own start included
BYTES_A_SECOND = 10e6  # of a slow disk


def import_apart(source: str | Path, out: str | Path, seconds: float = SECONDS) -> Imported:
    """As `import_weights`, in another process. seconds: for a small file; a large one has more. Raises BadInput as it does."""
    size = Path(source).expanduser().stat().st_size if Path(source).expanduser().is_file() else 0
    limit = seconds + size / BYTES_A_SECOND
    command = [sys.executable, "-m", "danlu.use.import_weights", str(source), str(out)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, env={**os.environ, "PYTHONUTF8": "1"}
        )
    except subprocess.TimeoutExpired as error:
        Path(f"{Path(out).expanduser()}.tmp").unlink(missing_ok=True)
        raise BadInput(messages.IMPORT_TOO_LONG, path=source, seconds=round(limit)) from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:200]
        raise BadInput(messages.IMPORT_BROKEN, path=source, reason=reason)
    answer = json.loads(done.stdout.splitlines()[-1])
    if "trouble" in answer:
        raise BadInput(Sentence(*answer["trouble"]), **answer["values"])
    tensors, inside, prefix, left = answer["made"]
    return Imported(Path(out).expanduser(), tensors, tuple(inside), prefix, tuple(left))
