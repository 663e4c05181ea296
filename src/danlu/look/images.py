"""A first look at a folder of images: classes, sizes, colours, unreadable files, repeated ones, and a sheet of examples."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from danlu import messages
from danlu.data.image_files import ImageFile, found_images
from danlu.data.image_pixels import GREY, look_at, pixels_of, tried
from danlu.data.image_pixels import Look as Seen
from danlu.data.own_split import in_order
from danlu.data.table_split import PARTS
from danlu.look.found import Look, shared, some, twice

ACROSS, DOWN, SIDE = 10, 12, 64  # images of a class, classes, and pixels of a side on the sheet


def look_at_images(fields: Mapping[str, str], out: Path | None = None) -> Look:
    """fields: `path`, and where given `val_path`, `test_path`. out: a folder that gets `examples.png`."""
    told = found_images(fields["path"], fields.get("val_path", ""), fields.get("test_path", ""))
    seen, bad = tried([file.path for file in told.files], _whole)
    files = [file for file, one in zip(told.files, seen) if one is not None]
    looks = [one for one in seen if one is not None]
    labels = in_order({file.label for file in told.files})
    found = Look("images", list(told.notes))
    found.say(messages.LOOK_IMAGES, count=len(told.files), classes=len(labels), path=fields["path"])
    counts = {part: Counter(file.label for file in files if file.part == place) for place, part in enumerate(PARTS)}
    there = [part for part in PARTS if counts[part]]
    found.grid = [[messages.LOOK_CLASS, *there]]
    for label in labels:
        found.grid.append([label, *(str(counts[part][label]) for part in there)])
    for path, reason in bad:
        found.say(messages.LOOK_UNREADABLE, path=str(path), reason=reason)
    hashes = {
        part: np.array([one.hash for one, file in zip(looks, files) if file.part == place], np.uint64) for place, part in enumerate(PARTS)
    }
    hashes = {part: own for part, own in hashes.items() if len(own)}
    if looks:
        _sizes(found, looks)
        if again := twice(np.concatenate(list(hashes.values()))):
            found.say(messages.LOOK_REPEATED_IMAGES, count=again)
        if both := _torn(files, looks):
            found.say(messages.LOOK_TWO_CLASSES, count=both)
        for parts, count in shared(hashes).items():
            found.say(messages.LOOK_SHARED, count=count, parts=parts)
    if rare := [label for label in labels if sum(own[label] for own in counts.values()) < 10]:
        found.say(messages.LOOK_FEW_IMAGES, classes=some(rare))
    given = {key: fields[key] for key in ("path", "val_path", "test_path") if fields.get(key)}
    found.suggest = " ".join(["danlu train images", *(shlex.quote(f"data.{key}={value}") for key, value in given.items())])
    found.plain = {"images": len(told.files), "classes": {part: dict(own) for part, own in counts.items() if own},
                   "unreadable": [{"path": str(path), "reason": reason} for path, reason in bad], "shared": shared(hashes),
                   "sizes": Counter(f"{one.width}x{one.height}" for one in looks).most_common(20),
                   "modes": dict(Counter(one.mode for one in looks))}  # fmt: skip
    if out is not None and files:
        path = _sheet(files, labels, out, lambda sentence: found.say(messages.PLOT_NO_FONT))
        found.say(messages.LOOK_SHEET, path=str(path))
        found.plain["sheet"] = str(path)
    return found


def _whole(path: Path) -> Seen:
    """What is known of an image when all of it can be decoded: the head of a file says nothing of its end."""
    seen = look_at(path)
    pixels_of(path, 3, 8, 8, "stretch")
    return seen


def _sizes(found: Look, looks: list[Seen]) -> None:
    sides = np.array([(one.width, one.height) for one in looks])
    low, middle, high = (f"{w:.0f}x{h:.0f}" for w, h in (sides.min(0), np.median(sides, 0), sides.max(0)))
    grey = sum(one.mode in GREY for one in looks)
    found.say(messages.LOOK_SIZES, least=low, median=middle, greatest=high, grey=grey, colour=len(looks) - grey)


def _torn(files: list[ImageFile], looks: list[Seen]) -> int:
    """Images that are there under more than one class."""
    labels: dict[int, set[str]] = {}
    for file, one in zip(files, looks):
        labels.setdefault(one.hash, set()).add(file.label)
    return sum(len(own) > 1 for own in labels.values())


def _sheet(files: list[ImageFile], labels: tuple[str, ...], out: Path, tell: Callable[[str], None]) -> Path:
    """`examples.png`: a row of images a class, evenly spread over its files, with its name. tell: called where a font is missing."""
    from matplotlib.figure import Figure

    from danlu.run.fonts import drawing

    rows = labels[:DOWN]
    with drawing(tell):
        figure = Figure(figsize=(1.8 + 0.8 * ACROSS, 0.85 * len(rows) + 0.1), layout="constrained")
        axes = figure.subplots(len(rows), ACROSS, squeeze=False)
        for across, label in zip(axes, rows):
            own = [file.path for file in files if file.label == label]
            chosen = [own[place * len(own) // min(ACROSS, len(own))] for place in range(min(ACROSS, len(own)))]
            across[0].set_ylabel(label if len(label) <= 16 else label[:15] + "…", rotation=0, ha="right", va="center", fontsize=9)
            for axis in across:
                axis.set_xticks([])
                axis.set_yticks([])
                axis.spines[:].set_visible(False)
            for axis, path in zip(across, chosen):
                axis.imshow(pixels_of(path, 3, SIDE, SIDE, "crop").transpose(1, 2, 0))
        out.mkdir(parents=True, exist_ok=True)
        figure.savefig(out / "examples.png", dpi=110)
    return out / "examples.png"
