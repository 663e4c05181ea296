"""`check("03.1", my_function)`: what a notebook calls; `danlu learn check 03.1` does the same with a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from danlu import messages
from danlu.errors import say
from danlu.learn import progress, shelf


def check(exercise: str, function: Callable[..., Any]) -> bool:
    """Say whether the function is right, or the hint that fits, and remember it when it is."""
    found = shelf.find_exercise(exercise)
    answer = found.check(function)
    if answer.right:
        progress.passed(found.id)
        print(say(messages.EXERCISE_RIGHT, id=found.id))
    else:
        print(say(messages.EXERCISE_WRONG, id=found.id, hint=answer))
    return answer.right
