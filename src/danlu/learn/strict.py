"""The small YAML files of a lesson, read strictly: an unknown key, a missing one and a missing language are errors with file and line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.describe import recipe_file
from danlu.describe.places import Spot
from danlu.errors import Sentence
from danlu.find import hint
from danlu.find.names import Phrase


def document(path: Path) -> tuple[Any, Spot]:
    """The data of a YAML file and the place of its top. Raises BadInput."""
    data, places = recipe_file.read(path)
    return data, Spot(places)


def mapping(data: Any, spot: Spot, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Any]:
    """`data` as a mapping with these keys and no others. Raises BadInput."""
    required = list(required)
    known = [*required, *optional]
    if not isinstance(data, dict):
        raise spot.wrong(messages.WRONG_TYPE, wanted=Phrase(messages.A_MAPPING), found=repr(data)[:60])
    for name in data:
        if name not in known:
            raise spot.at(name).wrong(messages.UNKNOWN_FIELD, hint=hint(name, known))
    for name in required:
        if name not in data:
            raise spot.wrong(messages.LESSON_MISSING_KEY, key=name)
    return data


def entries(data: Any, spot: Spot) -> list[tuple[Any, Spot]]:
    """The items of a list, each with its place; an empty file is an empty list."""
    if data is None:
        return []
    if not isinstance(data, list):
        raise spot.wrong(messages.WRONG_TYPE, wanted=Phrase(messages.A_LIST, items=Phrase(messages.A_MAPPING)), found=repr(data)[:60])
    return [(item, spot.at(place)) for place, item in enumerate(data)]


def text(data: Any, spot: Spot) -> str:
    if not isinstance(data, str) or not data.strip():
        raise spot.wrong(messages.WRONG_TYPE, wanted=Phrase(messages.A_TEXT), found=repr(data)[:60])
    return data.strip()


def texts(data: Any, spot: Spot) -> tuple[str, ...]:
    return tuple(text(item, place) for item, place in entries(data, spot))


def number(data: Any, spot: Spot) -> float:
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise spot.wrong(messages.WRONG_TYPE, wanted=Phrase(messages.A_NUMBER), found=repr(data)[:60])
    return float(data)


def sentence(data: Any, spot: Spot) -> Sentence:
    """`{en: ..., zh: ...}`: both languages, or it is an error."""
    said = mapping(data, spot, Sentence._fields)
    return Sentence(*(" ".join(text(said[language], spot.at(language)).split()) for language in Sentence._fields))
