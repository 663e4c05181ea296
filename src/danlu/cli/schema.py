"""`danlu schema`: the JSON Schema of recipe files, for editors that complete and check them."""

from __future__ import annotations

import json

from danlu import messages
from danlu.cli.parse import Command, Given

COMMAND = Command("schema", messages.ABOUT_SCHEMA, more=messages.MORE_SCHEMA)


def run(words: list[str], given: Given) -> int:
    from danlu.describe.schema import schema

    print(json.dumps(schema(), ensure_ascii=False, indent=1))
    return 0
