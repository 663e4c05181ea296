"""`danlu sample`: lets a trained language model go on with a prompt."""

from __future__ import annotations

import json
from typing import Any

from danlu import messages
from danlu.cli.parse import Command, Flag, Given
from danlu.errors import BadInput

PROMPT = Flag("--prompt", messages.FLAG_PROMPT, "TEXT")
TOKENS = Flag("--tokens", messages.FLAG_TOKENS, "N")
TEMPERATURE = Flag("--temperature", messages.FLAG_TEMPERATURE, "T")
TOP_K = Flag("--top-k", messages.FLAG_TOP_K, "K")
TOP_P = Flag("--top-p", messages.FLAG_TOP_P, "P")
SEED = Flag("--seed", messages.FLAG_SAMPLE_SEED, "N")
JSON = Flag("--json", messages.FLAG_SAMPLE_JSON)
COMMAND = Command(
    "sample", messages.ABOUT_SAMPLE, "RUN", 1, 1, (PROMPT, TOKENS, TEMPERATURE, TOP_K, TOP_P, SEED, JSON), messages.MORE_SAMPLE
)


def run(words: list[str], given: Given) -> int:
    if given["--prompt"] is None:
        raise BadInput(messages.SAMPLE_NO_PROMPT)
    settings = {"temperature": _number(given, "--temperature", float, 0.8), "seed": _number(given, "--seed", int, 0)}
    settings |= {"top_k": _number(given, "--top-k", int, None), "top_p": _number(given, "--top-p", float, None)}
    tokens = _number(given, "--tokens", int, 200)
    from danlu.use.load import load
    from danlu.use.sample import sample

    pieces = sample(load(words[0]), given["--prompt"], tokens, **settings)
    if given["--json"]:
        print(json.dumps({"prompt": given["--prompt"], "text": "".join(pieces), "tokens": tokens, **settings}, ensure_ascii=False))
        return 0
    print(given["--prompt"], end="", flush=True)
    for piece in pieces:
        print(piece, end="", flush=True)
    print()
    return 0


def _number(given: Given, flag: str, kind: type, default: Any) -> Any:
    if given[flag] is None:
        return default
    try:
        return kind(given[flag])
    except ValueError as error:
        raise BadInput(messages.FLAG_NOT_NUMBER, flag=flag, found=given[flag]) from error
