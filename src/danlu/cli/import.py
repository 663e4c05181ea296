"""`danlu import`: old weight files as safetensors."""

from __future__ import annotations

from danlu import messages
from danlu.cli.parse import Command, Given
from danlu.errors import say

COMMAND = Command("import", messages.ABOUT_IMPORT, "FILE OUT.safetensors", 2, 2, (), messages.MORE_IMPORT)


def run(words: list[str], given: Given) -> int:
    from danlu.use.apart import import_apart

    made = import_apart(words[0], words[1])
    print(say(messages.IMPORTED, path=made.path, count=made.tensors))
    if made.inside:
        print(say(messages.IMPORTED_INSIDE, keys=" / ".join(made.inside)))
    if made.prefix:
        print(say(messages.IMPORTED_PREFIX, prefix=made.prefix))
    if made.left:
        print(say(messages.IMPORTED_LEFT, count=len(made.left), names=", ".join(made.left[:10])))
    return 0
