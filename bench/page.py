"""docs/optimisers.md is written by several benches: each replaces its own section and leaves the others."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
TITLE = "# Optimisers, measured\n"


def section(heading: str, path: Path = DOCS / "optimisers.md") -> str:
    """What stands under `## heading`; nothing if there is none."""
    page = path.read_text("utf-8") if path.exists() else TITLE
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def replace_section(heading: str, text: str, path: Path = DOCS / "optimisers.md") -> None:
    """Put `text` under `## heading`, in place of what is there, or at the end."""
    page = path.read_text("utf-8") if path.exists() else TITLE
    before, mark, after = page.partition(f"\n## {heading}\n")
    rest = after.partition("\n## ")[1:] if mark else ("", "")
    path.write_text(f"{before}\n## {heading}\n\n{text.strip()}\n{''.join(rest)}", "utf-8")
