"""The folders outside a project that danlu may use."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """danlu's folder among the user's caches, where the platform keeps these; it may not exist yet."""
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "danlu"


def data_folder() -> Path:
    """danlu's folder among the user's data, which unlike a cache nobody may empty; it may not exist yet."""
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "danlu"
