"""`danlu init`: a whole recipe as YAML with a comment for each field, to start one's own from."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from danlu import messages
from danlu.cli.parse import Command, Flag, Given
from danlu.cli.recipe import CHANGES, asked
from danlu.errors import BadInput, say

OUT = Flag("--out", messages.FLAG_INIT_OUT, "FILE")
COMMAND = Command("init", messages.ABOUT_INIT, "RECIPE [field=value ...]", 1, None, (*CHANGES, OUT), messages.QUOTING)


def run(words: list[str], given: Given) -> int:
    from danlu.describe.recipe_file import commented_yaml

    text = commented_yaml(asked(words, given))
    if given["--out"] is None:
        sys.stdout.write(text)
        return 0
    path = Path(given["--out"])
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        raise BadInput(messages.FILE_EXISTS, path=path) from None
    except OSError as error:
        raise BadInput(messages.CANNOT_WRITE, path=path, error=error.strerror) from error
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
    print(say(messages.WRITTEN, path=path))
    return 0
