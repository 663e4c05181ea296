"""Images in class folders: which files there are, and the class and part of each."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from danlu import messages
from danlu.data.own_split import Note, note
from danlu.data.table_split import TEST, TRAIN, VAL, WORDS
from danlu.errors import BadInput

ENDINGS = frozenset([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".gif", ".tif", ".tiff"])
SHOWN = 5  # folders that a sentence names


@dataclass(frozen=True)
class ImageFile:
    path: Path
    label: str
    part: int


@dataclass(frozen=True)
class Found:
    files: list[ImageFile]
    notes: list[Note]


def found_images(path: str, val_path: str, test_path: str) -> Found:
    """All images with their class and the part that is given; train where none is."""
    found = Found([], [])
    root = image_root(path)
    folders = _folders(root)
    split = [folder for folder in folders if folder.name.lower() in WORDS and any(holds_images(inner) for inner in _folders(folder))]
    if any(WORDS[folder.name.lower()] == TRAIN for folder in split):
        if others := [folder.name for folder in folders if folder not in split and holds_images(folder)]:
            raise BadInput(messages.IMAGE_BESIDE_TRAIN, path=root, folders=", ".join(others[:SHOWN]))
        for folder in split:
            found.files.extend(labelled(folder, WORDS[folder.name.lower()], found))
    else:
        found.files.extend(labelled(root, TRAIN, found))
    for other, part in ((val_path, VAL), (test_path, TEST)):
        if other:
            found.files.extend(labelled(image_root(other), part, found))
    return found


def image_root(path: str | Path) -> Path:
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise BadInput(messages.IMAGE_NO_FOLDER, path=folder)
    return folder


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _folders(folder: Path) -> list[Path]:
    return sorted(inner for inner in folder.iterdir() if inner.is_dir() and not _hidden(inner.name))


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder that is not hidden, in the order of names."""
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _hidden(name))
        yield from (Path(where, name) for name in sorted(names) if not _hidden(name))


def holds_images(folder: Path) -> bool:
    """Whether there is an image in it, at any depth."""
    return any(path.suffix.lower() in ENDINGS for path in _files(folder))


def labelled(root: Path, part: int, found: Found) -> Iterator[ImageFile]:
    """The images in the class folders of `root`; notes tell of folders and files that give none."""
    if loose := [
        path.name for path in sorted(root.iterdir()) if path.suffix.lower() in ENDINGS and not _hidden(path.name) and path.is_file()
    ]:
        raise BadInput(messages.IMAGE_LOOSE, path=root, count=len(loose), example=loose[0])
    other: list[Path] = []
    for folder in _folders(root):
        label = unicodedata.normalize("NFC", folder.name).encode(errors="backslashreplace").decode()  # its bytes may be no UTF-8
        there = False
        for path in _files(folder):
            if path.suffix.lower() in ENDINGS:
                there = True
                yield ImageFile(path, label, part)
            else:
                other.append(path)
        if not there:
            found.notes.append(note(messages.IMAGE_EMPTY_FOLDER, folder=str(folder)))
    if other:
        found.notes.append(note(messages.IMAGE_OTHER_FILES, count=len(other), path=str(root), example=other[0].name))


def known(path: str | Path, files: Sequence[ImageFile], labels: Sequence[str]) -> None:
    for file in files:
        if file.label not in labels:
            shown = ", ".join(labels[:20]) + (", ..." if len(labels) > 20 else "")
            raise BadInput(messages.IMAGE_UNKNOWN_LABEL, path=file.path, label=file.label, labels=shown)
