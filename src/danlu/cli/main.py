"""`danlu COMMAND ...`: finds the command, speaks the chosen language, and turns every failure into a sentence and an exit code."""

from __future__ import annotations

import errno
import importlib
import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType

from danlu import errors, messages
from danlu.cli.parse import COMMON, columns, help_of, parse
from danlu.cli.text import aligned
from danlu.errors import BadInput, Trouble, say, speak
from danlu.find import hint

COMMANDS = (
    "look",
    "find",
    "train",
    "launch",
    "resume",
    "checkpoints",
    "evaluate",
    "hessian",
    "predict",
    "sample",
    "read",
    "export",
    "import",
    "explain",
    "check",
    "init",
    "list",
    "show",
    "plot",
    "report",
    "learn",
    "doctor",
    "schema",
)
CODES = {
    0: messages.CODE_DONE,
    errors.BUG: messages.CODE_BUG,
    errors.BAD_INPUT: messages.CODE_BAD_INPUT,
    errors.REFUSED: messages.CODE_REFUSED,
    errors.BUSY: messages.CODE_BUSY,
    errors.DIVERGED: messages.CODE_DIVERGED,
    errors.NO_SPACE: messages.CODE_NO_SPACE,
    errors.DAMAGED: messages.CODE_DAMAGED,
    errors.NO_MEMORY: messages.CODE_NO_MEMORY,
    errors.LOST: messages.CODE_LOST,
    errors.SAVED_RUN_AGAIN: messages.CODE_SAVED,
    130: messages.CODE_INTERRUPTED,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code (`CODES`).

    The last line that a failure prints is a sentence on standard error. With `--json` standard output has the same as one line of JSON,
    `{"error": {"code": 2, "kind": "BadInput", "message": "..."}}`; `traceback` is the file that holds it, for an error of danlu's own.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _readable(sys.stdout)
    _readable(sys.stderr)
    flags = arguments[: arguments.index("--")] if "--" in arguments else arguments
    debug, plain = "--debug" in flags, "--json" in flags
    try:
        speak(_language(arguments))
        return _dispatch(arguments)
    except BrokenPipeError:  # whoever read our output (`danlu list | head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        _last_signal(argv)
        return _failed(say(messages.INTERRUPTED), 130, plain, "Interrupted")
    except Trouble as trouble:
        if trouble.code == errors.SAVED_RUN_AGAIN:
            _last_signal(argv)
        if debug:
            traceback.print_exc()
        return _failed(str(trouble), trouble.code, plain, type(trouble).__name__)
    except Exception as error:
        if _no_name(error):
            return _failed(say(messages.NO_SUCH_NAME, reason=_brief(error)), errors.BAD_INPUT, plain, "BadInput")
        if debug:
            traceback.print_exc()
            return _failed(say(messages.UNEXPECTED_SHOWN, error=_brief(error)), errors.BUG, plain, type(error).__name__)
        path = _saved(error)
        text = say(messages.UNEXPECTED, error=_brief(error), path=path)
        return _failed(text, errors.BUG, plain, type(error).__name__, traceback=path)
    finally:
        speak(None)


def _dispatch(arguments: list[str]) -> int:
    if "--version" in arguments[:1]:
        from importlib.metadata import version

        print(f"danlu {version('danlu')}")
        return 0
    name, rest = _command(arguments)
    if name is None:
        print(_overview())
        return 0
    module = _module(name)
    words, given = parse(module.COMMAND, rest)
    if given["--help"]:
        print(help_of(module.COMMAND))
        return 0
    return int(module.run(words, given))


def _command(arguments: list[str]) -> tuple[str | None, list[str]]:
    """The command's name (None: show the overview) and the arguments without it; the common flags may stand before it."""
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        name = arguments[place].partition("=")[0]
        if name not in ("-h", *(flag.name for flag in COMMON)):
            known = [*(flag.name for flag in COMMON), "--version"]
            raise BadInput(messages.UNKNOWN_FLAG, flag=name, command="danlu", hint=hint(name, known))
        place += 2 if arguments[place] == "--lang" else 1
    if place >= len(arguments):
        return None, []
    name = arguments[place]
    if name == "help":
        return (arguments[place + 1], ["--help"]) if place + 1 < len(arguments) else (None, [])
    if name not in COMMANDS:
        raise BadInput(messages.UNKNOWN_COMMAND, name=name, hint=hint(name, list(COMMANDS)))
    return name, arguments[:place] + arguments[place + 1 :]


def _module(name: str) -> ModuleType:
    if name not in COMMANDS:
        raise BadInput(messages.UNKNOWN_COMMAND, name=name, hint=hint(name, list(COMMANDS)))
    return importlib.import_module(f"danlu.cli.{name}")


def _overview() -> str:
    commands = [(name, say(_module(name).COMMAND.about)) for name in COMMANDS]
    codes = [(str(code), say(sentence)) for code, sentence in CODES.items()]
    wide = columns()
    return "\n\n".join([
        f"{say(messages.USAGE)}danlu COMMAND ...\n{say(messages.WHAT_DANLU_IS)}",
        f"{say(messages.THE_COMMANDS)}\n{aligned(commands, wide)}",
        f"{say(messages.THE_COMMON_FLAGS)}\n{aligned([(f'{f.name} {f.value}'.strip(), say(f.about)) for f in COMMON], wide)}",
        say(messages.OVERVIEW_EXAMPLES),
        f"{say(messages.THE_EXIT_CODES)}\n{aligned(codes, wide)}",
    ])  # fmt: skip


def _language(arguments: list[str]) -> str | None:
    """What `--lang` says; needed before anything else is read, so that errors speak it too."""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--":
            break
        if name == "--lang":
            value = value if equals else "".join(arguments[place + 1 : place + 2])
            if value not in ("en", "zh"):
                raise BadInput(messages.UNKNOWN_LANGUAGE, found=value)
            return value
    return None


def _readable(stream: object) -> None:
    """Chinese must survive `> my.yaml` on Windows (whose pipes have an old code page) and a terminal that lacks letters."""
    if isinstance(stream, io.TextIOWrapper):
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # names of files may be no UTF-8


def _last_signal(argv: Sequence[str] | None) -> None:
    """A process that was told to stop ends with the code that says so, however often it is told again. (A caller goes on, and listens.)"""
    from danlu.run.stop import SIGNALS

    if argv is None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _failed(sentence: str, code: int, plain: bool, kind: str, **more: str) -> int:
    if plain:
        print(json.dumps({"error": {"code": code, "kind": kind, "message": sentence, **more}}))
    sys.stdout.flush()
    print(f"danlu: {sentence}", file=sys.stderr, flush=True)
    return code


def _no_name(error: Exception) -> bool:
    """Whether an error means that the system can have no file of a name: too long, a zero byte in it, half a surrogate pair."""
    if isinstance(error, OSError):
        return error.errno == errno.ENAMETOOLONG
    lone = isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason
    return lone or (isinstance(error, ValueError) and str(error).startswith("embedded null"))


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300].rstrip(": ")


def _saved(error: BaseException) -> str:
    """The new file, among the temporary ones, that holds the traceback."""
    import tempfile

    handle, path = tempfile.mkstemp(prefix="danlu-traceback-", suffix=".txt")
    with open(handle, "w", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    return path
