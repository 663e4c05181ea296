"""Take the whole exam and write `docs/exam.md` from what its items print: `make exam`.

The file is never edited by hand. Exit code 1 when an item failed or did not come to its end.
"""

from __future__ import annotations

import ast
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "exam.md"
GROUPS = {
    "Crash and resume": [f"R{n:02}" for n in range(1, 14)],
    "Storage": [f"R{n:02}" for n in range(14, 19)],
    "Data and numbers": [f"R{n:02}" for n in range(19, 28)],
    "Distributed": [f"R{n:02}" for n in range(28, 33)],
    "Configuration and messages": ["R33", "R34"],
    "Security": [f"S{n:02}" for n in range(1, 13)],
}


def main() -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines"
        lines.touch()
        paths = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "DANLU_EXAM": "full", "DANLU_EXAM_LINES": str(lines), "PYTHONPATH": paths}
        options = ["-n", "2", "--dist", "loadfile", "-o", "timeout=2400", "-p", "no:cacheprovider"]
        subprocess.run([sys.executable, "-m", "pytest", str(ROOT / "exam"), *options], cwd=ROOT, env=environment)
        found = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    items = {name: together(title, [line for line in found if line["item"] == name]) for name, title in asked().items()}
    PAGE.write_text(page(items, time.monotonic() - began), encoding="utf-8")
    print(f"{PAGE}: {sum(item['passed'] for item in items.values())} of {len(items)} items passed")
    return 0 if all(item["passed"] for item in items.values()) else 1


def asked() -> dict[str, str]:
    """Every item and what it asks: the first line of its file's docstring."""
    found = {}
    for path in sorted((ROOT / "exam").glob("test_*.py")):
        name = re.fullmatch(r"test_([rs]\d\d)_.*", path.stem)
        words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if name is None or not words.startswith(f"{name[1].upper()}: "):
            raise SystemExit(f"{path}: its name is test_<item>_<what>.py and its docstring begins with the item, as in `R01: ...`")
        found[name[1].upper()] = words.split("\n\n")[0].replace("\n", " ").partition(": ")[2]
    return found


def together(title: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """An item's lines (one for each of its tests) as one."""
    return {
        "title": title,
        "passed": bool(lines) and all(line["passed"] for line in lines),
        "n": sum(line["n"] for line in lines),
        "failed": sum(line["failed"] for line in lines),
        "seconds": sum(line["seconds"] for line in lines),
        "detail": {key: value for line in lines for key, value in line["detail"].items()},
    }


def page(items: dict[str, dict[str, Any]], seconds: float) -> str:
    """The whole file."""
    passed = sum(item["passed"] for item in items.values())
    parts = [
        "# The exam",
        f"Written by `make exam` (exam/write.py) on {date.today().isoformat()} from what its items printed; never edited.",
        f"**{passed} of {len(items)} items passed**, in {seconds / 60:.0f} minutes. n: trials; figures: what was counted or measured.",
        "\n".join(f"- {line}" for line in conditions()),
    ]
    for group, wanted in GROUPS.items():
        rows = [
            f"| {name} | {_cell(item['title'])} | {_verdict(item)} | {_figures(item['detail'])} | {item['seconds']:.0f} |"
            for name, item in items.items()
            if name in wanted
        ]
        if rows:
            head = ["| item | what is asked | passed | figures | s |", "|---|---|---|---|---|"]
            parts.append(f"## {group}\n\n" + "\n".join(head + rows))
    return "\n\n".join(parts) + "\n"


def conditions() -> list[str]:
    """With what, and on what machine."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("danlu", "torch", "numpy", "safetensors"))
    revision = _said("git", "rev-parse", "--short=12", "HEAD")
    changed = " with changes" if _said("git", "status", "--porcelain", "--", "src", "exam") else ""
    cpu = next(
        (line.partition(":")[2].strip() for line in _text("/proc/cpuinfo").splitlines() if line.startswith("model name")),
        platform.machine(),
    )
    kind = _said("stat", "-f", "-c", "%T", tempfile.gettempdir())
    return [
        f"{packages}, Python {platform.python_version()}, revision {revision}{changed}",
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores ({cpu}), temporary files on {kind or 'an unknown file system'}",
    ]


def _verdict(item: dict[str, Any]) -> str:
    if not item["n"]:
        return "**did not come to its end**"
    count = f"{item['n'] - item['failed']} of {item['n']}"
    return count if item["passed"] else f"**{count}**"


def _figures(detail: dict[str, Any]) -> str:
    return _cell("; ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in detail.items()))


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").rstrip(".")


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""


if __name__ == "__main__":
    sys.exit(main())
