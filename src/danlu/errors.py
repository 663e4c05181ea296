"""What goes wrong, as sentences a person can act on, and the exit code each kind of trouble has.

A `Sentence` is written once in English and once in Chinese, side by side; `say` picks the language.
The product's own sentences are in `messages/`; a technique keeps its own in its own file.
"""

from __future__ import annotations

import locale
import os
from typing import Any, NamedTuple

# Exit codes of the command line. 0 is success, 1 an error of ours (a bug), 130 what shells give for Ctrl-C before anything was saved.
BUG = 1
BAD_INPUT = 2  # the recipe, the data or the command line must be changed; nothing was written over
REFUSED = 3  # a combination that could not train correctly, or that the check before a run failed; the sentence says what to do instead
BUSY = 4  # the run folder is in use by another process
DIVERGED = 5  # training stopped because numbers were no longer finite
NO_SPACE = 6  # the disk is full or cannot be written; what was saved before is whole
DAMAGED = 7  # a stored file is not what was written: a byte of it changed, or it is missing
NO_MEMORY = 8  # memory does not suffice for the smallest micro-batch; what was saved is whole
LOST = 9  # another process of the training ended; the run goes on from its newest checkpoint
SAVED_RUN_AGAIN = 75  # stopped by a signal, saved; run the same command again to go on (EX_TEMPFAIL)

_language: str | None = None


class Sentence(NamedTuple):
    """One message in both languages, with the same `{placeholders}`."""

    en: str
    zh: str


def language() -> str:
    """ "en" or "zh": what `speak` chose, else $DANLU_LANG, else the locale, else English."""
    if _language:
        return _language
    wish = os.environ.get("DANLU_LANG") or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    if not wish:
        wish = locale.getlocale()[0] or ""
    return "zh" if wish.lower().startswith(("zh", "chinese")) else "en"


def speak(lang: str | None) -> None:
    """Choose the language of every later sentence; None goes back to the environment's."""
    global _language
    _language = lang


def say(sentence: Sentence, /, **values: Any) -> str:
    """The sentence in the chosen language with its placeholders filled."""
    return spoken(sentence).format(**values)


def spoken(sentence: Sentence, /) -> str:
    """The sentence in the chosen language as it stands: words of a docstring, whose braces hold no place for a value."""
    return str(getattr(sentence, language()))


class Trouble(Exception):
    """Base of what danlu raises on purpose: a sentence, its values, and an exit code."""

    code = BUG

    def __init__(self, sentence: Sentence, /, **values: Any):
        self.sentence, self.values = sentence, values
        super().__init__(say(sentence, **values))

    def __str__(self) -> str:
        return say(self.sentence, **self.values)


class BadInput(Trouble):
    """The user's file, field, row or flag is wrong."""

    code = BAD_INPUT


class Refused(Trouble):
    """A combination that could not train correctly, refused before the first step."""

    code = REFUSED


class Busy(Trouble):
    """The run folder belongs to a living process."""

    code = BUSY


class Diverged(Trouble):
    """Training stopped because the numbers stopped being finite."""

    code = DIVERGED


class NoSpace(Trouble):
    """A file could not be written; everything saved before is whole."""

    code = NO_SPACE


class NoMemory(Trouble):
    """Memory does not suffice, and what needs it cannot be made smaller without changing the training."""

    code = NO_MEMORY


class Lost(Trouble):
    """Another process of this training is gone, or does not answer."""

    code = LOST
