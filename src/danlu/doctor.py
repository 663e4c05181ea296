"""What this machine has for training: versions, devices, extras, data sets, fonts, room. It looks, and changes nothing."""

from __future__ import annotations

import ast
import importlib
import locale
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import torch

from danlu import find, messages
from danlu.data.find_files import local_folder
from danlu.errors import Sentence, Trouble, language, say
from danlu.find.source import Found
from danlu.folders import cache_folder

Rows = list[tuple[str, str]]
GIB = 1 << 30


def examine() -> Iterator[tuple[Sentence, Rows]]:
    """The findings by section, each (what, what was found)."""
    yield messages.DOCTOR_MACHINE, machine()
    yield messages.DOCTOR_TORCH, devices()
    yield messages.DOCTOR_PACKAGES, packages()
    yield messages.DOCTOR_DATA, data_sets()
    yield messages.DOCTOR_SURROUNDINGS, surroundings()


def machine() -> Rows:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    rows = [
        (say(messages.DOCTOR_SYSTEM), platform.platform()),
        (say(messages.DOCTOR_CORES), str(cores)),
        ("Python", f"{platform.python_version()} ({sys.executable})"),
        ("danlu", f"{metadata.version('danlu')} ({Path(__file__).parent})"),
    ]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        rows.insert(2, (say(messages.DOCTOR_MEMORY), f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / GIB:.1f} GiB"))
    return rows


def devices() -> Rows:
    """torch, and every device that `device=` may name."""
    rows = [("torch", f"{torch.__version__}, {say(messages.DOCTOR_THREADS, threads=torch.get_num_threads())}")]
    rows.append(("cpu", torch.backends.cpu.get_cpu_capability()))
    here = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if here is None:
        return [*rows, (say(messages.DOCTOR_ACCELERATOR), say(messages.DOCTOR_NONE))]
    backend = torch.get_device_module(here)
    for index in range(torch.accelerator.device_count()):
        name = backend.get_device_name(index) if hasattr(backend, "get_device_name") else here.type
        properties = backend.get_device_properties(index) if hasattr(backend, "get_device_properties") else None
        memory = getattr(properties, "total_memory", None)
        rows.append((f"{here.type}:{index}", name + (f", {memory / GIB:.0f} GiB" if memory else "")))
    return rows


def packages() -> Rows:
    """Each package that danlu needs, or an extra of it would use: its version, or how to install it."""
    rows = []
    for line in metadata.requires("danlu") or []:
        package = re.match(r"[\w.-]+", line)
        extra = re.search(r"""extra\s*==\s*['"](\w+)""", line)
        if package is None or package[0] == "torch" or (extra and extra[1] == "dev"):
            continue
        try:
            found = metadata.version(package[0])
        except metadata.PackageNotFoundError:
            install = f"pip install 'danlu[{extra[1]}]'" if extra else f"pip install '{line}'"
            found = say(messages.DOCTOR_MISSING, install=install)
        rows.append((package[0] + (f" [{extra[1]}]" if extra else ""), found))
    return rows


def data_sets() -> Rows:
    rows = [
        ("$DANLU_DATA", os.environ.get("DANLU_DATA") or say(messages.DOCTOR_NOT_SET)),
        (say(messages.DOCTOR_CACHE), str(cache_folder())),
    ]
    for found in find.catalogue("data", others=False):
        rows.append((found.name, _where(found)))
    return rows


def _where(found: Found) -> str:
    """The folder that holds the data set, or what will happen when it is asked for."""
    wanted = _folders(found)
    try:
        folder = next((folder for name, files, _ in wanted if (folder := local_folder(name, files))), None)
    except Trouble as trouble:
        return str(trouble)
    if folder or not wanted:
        return str(folder) if folder else say(messages.DOCTOR_BUNDLED)
    return say(messages.DOCTOR_FETCHED if any(published for *_, published in wanted) else messages.DOCTOR_BY_HAND)


def _folders(found: Found) -> list[tuple[str, dict[str, str], bool]]:
    """Folder, files and whether they are published, of every `dataset_folder("folder", FILES, URL)` in the description's source."""
    tree = ast.parse(Path(found.path).read_text("utf-8"))
    node = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == found.attribute)
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call) and ast.unparse(n.func) == "dataset_folder"]
    module = importlib.import_module(found.module)
    return [(ast.literal_eval(call.args[0]), getattr(module, ast.unparse(call.args[1])), len(call.args) > 2) for call in calls]


def surroundings() -> Rows:
    from danlu.run.fonts import chinese_font

    tty = sys.stdout.isatty()
    size = shutil.get_terminal_size()
    free = {Path.cwd(): say(messages.DOCTOR_DISK), Path(tempfile.gettempdir()): say(messages.DOCTOR_TEMPORARY)}
    return [
        (say(messages.DOCTOR_LANGUAGE), f"{language()} ({locale.getlocale()[0] or '-'}, {sys.stdout.encoding})"),
        (say(messages.DOCTOR_TERMINAL), f"{size.columns}x{size.lines}" if tty else say(messages.DOCTOR_NO_TERMINAL)),
        *((label, f"{shutil.disk_usage(path).free / GIB:.1f} GiB {path}") for path, label in free.items()),
        (say(messages.DOCTOR_FONT), chinese_font() or say(messages.DOCTOR_NO_FONT)),
    ]
