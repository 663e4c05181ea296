"""A command line as data: commands and flags in both languages, read strictly, the nearest right word named for a wrong one.

Words (`digits`, `optimizer.lr=1e-3`) and flags may come in any order; after `--` everything is a word. argparse is not used: its own
texts cannot be had in a second language, and differ from one Python to the next.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from danlu import messages
from danlu.cli.text import aligned
from danlu.errors import BadInput, Sentence, say
from danlu.find.names import Phrase, nearest


@dataclass(frozen=True)
class Flag:
    """`--name`, or `--name VALUE` if `value` says what the value is called; `many` may be given again and again."""

    name: str
    about: Sentence
    value: str = ""
    many: bool = False


@dataclass(frozen=True)
class Command:
    """What `danlu name` is called with. `words` is how its words are written; at least `least` and at most `most` of them."""

    name: str
    about: Sentence
    words: str = ""
    least: int = 0
    most: int | None = 0
    flags: tuple[Flag, ...] = ()
    more: Sentence | None = None  # what else the help says

    @property
    def usage(self) -> str:
        flags = [f"[{flag.name}{' ' + flag.value if flag.value else ''}]{'...' if flag.many else ''}" for flag in self.flags]
        return " ".join(["danlu", self.name, *([self.words] if self.words else []), *flags])


COMMON = (
    Flag("--lang", messages.FLAG_LANG, "en|zh"),
    Flag("--debug", messages.FLAG_DEBUG),
    Flag("--help", messages.FLAG_HELP),
)

Given = dict[str, Any]


def parse(command: Command, arguments: Sequence[str]) -> tuple[list[str], Given]:
    """The words, and the value of every flag by its name (`given["--out"]`): text or None, True or False, a list.

    Raises BadInput for an unknown flag, a missing or needless value, and too few or too many words.
    """
    flags = {flag.name: flag for flag in (*command.flags, *COMMON)}
    given: Given = {name: [] if flag.many else None if flag.value else False for name, flag in flags.items()}
    words: list[str] = []
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if argument == "--":
            words += left
            break
        if argument == "-h":
            argument = "--help"
        if not argument.startswith("-") or argument == "-":
            words.append(argument)
            continue
        name, equals, value = argument.partition("=")
        flag = flags.get(name)
        if flag is None:
            raise _unknown(command, argument, list(flags))
        if not flag.value:
            if equals:
                raise BadInput(messages.FLAG_TAKES_NO_VALUE, flag=name, found=value)
            given[name] = True
            continue
        if not equals:
            if not left or left[0].startswith("--"):
                raise BadInput(messages.FLAG_NEEDS_VALUE, flag=name, value=flag.value)
            value = left.pop(0)
        given[name] = [*given[name], value] if flag.many else value
    if not given["--help"]:
        if len(words) < command.least:
            raise BadInput(messages.MISSING_WORD, name=command.name, word=command.words.split()[0])
        if command.most is not None and len(words) > command.most:
            raise BadInput(messages.TOO_MANY_WORDS, name=command.name, found=words[command.most])
    return words, given


def _unknown(command: Command, argument: str, flags: list[str]) -> BadInput:
    near = nearest(argument.partition("=")[0], flags)
    hint = Phrase(messages.DID_YOU_MEAN, name=near) if near else Phrase(messages.CHOOSE_FROM, names=", ".join(flags))
    if near is None and "field=value" in command.words:
        hint = Phrase(messages.FIELDS_WITHOUT_DASHES, setting=argument.lstrip("-").partition("=")[0])
    return BadInput(messages.UNKNOWN_FLAG, flag=argument, command=f"danlu {command.name}", hint=hint)


def help_of(command: Command) -> str:
    """The help page of one command."""
    rows = [(f"{flag.name} {flag.value}".strip(), say(flag.about)) for flag in (*command.flags, *COMMON)]
    parts = [f"{say(messages.USAGE)}{command.usage}", say(command.about)]
    if command.more:
        parts.append(say(command.more))
    return "\n\n".join([*parts, aligned(rows, columns())])


def columns() -> int:
    """How wide a page is: the terminal's width, at most 120."""
    return min(shutil.get_terminal_size((100, 24)).columns, 120)
