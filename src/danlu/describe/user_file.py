"""A user's own Python, named on purpose: `file.py:Name`, wherever a recipe takes a name.

The file is loaded by its path under a module name of its own, once for each content, and its source is kept so that a run can record it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.abc
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from danlu import messages
from danlu.errors import BadInput, Trouble
from danlu.find import hint

_TARGET = re.compile(r"(?P<path>.+\.py):(?P<name>[^\W\d]\w*)", re.DOTALL)

_modules: dict[str, tuple[str, str]] = {}  # module name -> (path, source text)


@dataclass(frozen=True)
class Named:
    """A class, function or object of a user's file, with options for its call. Calling it calls that.

    target: `file.py:Name`
    options: keyword arguments of the call, plain values
    """

    target: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def thing(self) -> Any:
        """What the file calls by that name, with the options bound (`functools.partial`) when there are some."""
        thing = load(self.target)
        return functools.partial(thing, **self.options) if self.options else thing

    @property
    def __name__(self) -> str:
        return split(self.target)[1]

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.thing(*args, **keywords)


def unwrapped(thing: Any) -> Any:
    """What a `Named` stands for, and anything else as it is: for whoever must see a user's class or function itself."""
    return thing.thing if isinstance(thing, Named) else thing


def is_target(text: str) -> bool:
    """Whether the text has the form `file.py:Name` (also `C:\\folder\\file.py:Name`)."""
    return _TARGET.fullmatch(text) is not None


def split(target: str) -> tuple[str, str]:
    """The path and the name of `file.py:Name`."""
    found = _TARGET.fullmatch(target)
    if found is None:
        raise BadInput(messages.NOT_A_TARGET, target=target)
    return found["path"], found["name"]


def absolute(target: str, folder: Path | None = None) -> str:
    """The target with its path made absolute, from `folder` or else the current one: what a run must record to find it again."""
    path, name = split(target)
    return f"{(folder or Path.cwd()) / Path(path).expanduser()}:{name}"


def load(target: str) -> Any:
    """The object that `file.py:Name` names. Runs the file, the first time.

    Raises BadInput if there is no such file or name, or if the file fails.
    """
    path, name = split(target)
    module = _module(Path(path).expanduser().absolute())
    if not hasattr(module, name):
        public = [key for key, value in vars(module).items() if not key.startswith("_") and not isinstance(value, ModuleType)]
        raise BadInput(messages.NAME_NOT_IN_FILE, path=path, name=name, hint=hint(name, public))
    return getattr(module, name)


def target_of(thing: Any) -> str | None:
    """`file.py:Name` of a class or function that came out of `load`, else None."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", "")
    return f"{_modules[module][0]}:{name}" if module in _modules and name.isidentifier() else None


def sources(form: Any) -> dict[str, str]:
    """The text of every user's file that the data form of a recipe names, by path, as it was loaded last."""
    texts = dict(_modules.values())
    named = {str(Path(split(word)[0]).expanduser().absolute()) for word in _words(form) if is_target(word)}
    return {path: text for path, text in texts.items() if path in named}


def _words(form: Any) -> Iterator[str]:
    """Every text in a tree of plain values, keys included."""
    if isinstance(form, str):
        yield form
    elif isinstance(form, Mapping):
        for key, value in form.items():
            yield from (key, *_words(value))
    elif isinstance(form, list | tuple):
        for value in form:
            yield from _words(value)


def _module(path: Path) -> ModuleType:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(messages.CANNOT_READ, path=path, error=getattr(error, "strerror", None) or error) from error
    digest = hashlib.sha256(f"{path}\n{text}".encode(errors="surrogateescape")).hexdigest()[:12]
    name = f"danlu_file_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path, loader=_Text(str(path), text))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # so that the file can import its neighbours, as it could when run as a script
    sys.modules[name] = module  # dataclasses look their module up while the file runs
    _modules[name] = (str(path), text)
    try:
        spec.loader.exec_module(module)
    except Trouble:
        _forget(name)
        raise
    except Exception as error:
        _forget(name)
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = lines[-1] if lines else getattr(error, "lineno", None) or 1
        raise BadInput(messages.FILE_FAILED, path=path, line=line, kind=type(error).__name__, error=error) from error
    return module


class _Text(importlib.abc.SourceLoader):
    """Loads exactly the text that is recorded; a cached bytecode file could be of an older one."""

    def __init__(self, path: str, text: str):
        self.path, self.text = path, text

    def get_filename(self, fullname: str) -> str:
        return self.path

    def get_data(self, path: str) -> bytes:
        return self.text.encode()


def _forget(name: str) -> None:
    del sys.modules[name], _modules[name]
