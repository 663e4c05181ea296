"""Predictions of a trained model for new input.

    python predict.py INPUT ... [--out FILE.csv|FILE.jsonl] [--every-class] [--json] [--lang en|zh]

INPUT is what the model was trained on a kind of: a table, a folder of images, a table or lines of texts. Needs torch, numpy, and for
images Pillow; what is imported from beside this file is part of the bundle.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch

from danlu.errors import Trouble, speak
from danlu.run import preprocess
from danlu.use.encode import encode, rows_of
from danlu.use.predict import predict, print_rows, write
from danlu.use.prediction import Prediction

HERE = Path(__file__).parent
ROWS = 256  # at once


class Model:
    """The program with what turns raw input into its rows, as `predict` wants them."""

    def __init__(self) -> None:
        self.form, self.facts = preprocess.read(HERE)
        self.program = torch.export.load(HERE / "model.pt2").module()

    def predict(self, raw: Any) -> Prediction:
        inputs = encode(self.form, self.facts, raw)
        found = []
        for start in range(0, rows_of(inputs), ROWS):
            tree = list(inputs.values()) if isinstance(inputs, dict) else [inputs]
            with torch.no_grad():
                found.append(self.program(*(part[start : start + ROWS] for part in tree)))
        return Prediction.of(torch.cat(found), self.facts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", nargs="+")
    parser.add_argument("--out")
    parser.add_argument("--every-class", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--lang", choices=("en", "zh"))
    asked = parser.parse_args()
    speak(asked.lang)
    try:
        found = predict(Model(), asked.input, asked.every_class)
        if asked.out:
            write(found, Path(asked.out))
        else:
            print_rows(found, sys.stdout, asked.json)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return trouble.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
