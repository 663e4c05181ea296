"""`danlu predict`: what a trained run says about new input."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from danlu import messages
from danlu.cli.parse import Command, Flag, Given
from danlu.errors import BadInput, say

OUT = Flag("--out", messages.FLAG_PREDICT_OUT, "FILE")
JSON = Flag("--json", messages.FLAG_PREDICT_JSON)
ALL = Flag("--every-class", messages.FLAG_EVERY_CLASS)
COMMAND = Command("predict", messages.ABOUT_PREDICT, "RUN INPUT ...", 2, None, (OUT, ALL, JSON), messages.MORE_PREDICT)


def run(words: list[str], given: Given) -> int:
    out = Path(given["--out"]) if given["--out"] else None
    if out is not None and os.path.lexists(out):
        raise BadInput(messages.OUT_EXISTS, path=out)
    from danlu.use.load import load
    from danlu.use.predict import predict, print_rows, write

    found = predict(load(words[0]), words[1:], given["--every-class"])
    if out is None:
        print_rows(found, sys.stdout, given["--json"])
    else:
        rows = write(found, out)
        print(say(messages.PREDICTED, rows=rows, path=out))
    return 0
