"""Any image as the bytes that training sees: decoded, turned, made opaque, 8 bits, resized."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np

from danlu import messages
from danlu.errors import BadInput

Fit = Literal["crop", "stretch"]

GREY = frozenset(("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N"))
THREADS = min(8, os.cpu_count() or 1)  # Pillow lets go of the interpreter while it decodes
SHOWN = 5  # files that a sentence names
MOST_PIXELS = 89_478_485  # a quarter of a gigabyte in RGB, where Pillow itself begins to warn; a few kilobytes of a file can hold them
LARGE = 4_000_000  # pixels of an image of which one is decoded at a time, whatever the number of threads
_alone = Lock()


@dataclass(frozen=True)
class Look:
    hash: int  # of the file's bytes
    mode: str
    height: int
    width: int


def all_of(paths: Sequence[Path], look: Callable[[Path], Any]) -> list[Any]:
    """`look(path)` of every path, by several threads. Raises BadInput naming the files that cannot be read, all counted."""
    seen, bad = tried(paths, look)
    if bad:
        shown = "\n".join(f"  {path}: {reason}" for path, reason in bad[:SHOWN]) + ("\n  ..." if len(bad) > SHOWN else "")
        raise BadInput(messages.IMAGE_BAD_FILES, count=len(bad), files=shown)
    return seen


def tried(paths: Sequence[Path], look: Callable[[Path], Any]) -> tuple[list[Any], list[tuple[Path, str]]]:
    """`look(path)` of every path, None for those that cannot be read, and these with the reason."""
    Image = pillow()
    bad: list[tuple[Path, str]] = []

    def safely(path: Path) -> Any:
        try:
            return look(path)
        except _Unreadable as error:
            bad.append((path, str(error)))

    with warnings.catch_warnings(), ThreadPoolExecutor(THREADS) as pool:
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `_bounded` looks at what is decoded, and refuses
        seen = list(pool.map(safely, paths))
    return seen, sorted(bad)


class _Unreadable(Exception):
    """An image that Pillow cannot read; the reason is Pillow's."""


def look_at(path: Path) -> Look:
    from PIL import ExifTags

    with _opened(path) as (raw, image):
        width, height = image.size
        if image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8):
            width, height = height, width
        return Look(int.from_bytes(blake2b(raw, digest_size=8).digest(), "little"), image.mode, height, width)


class _opened:
    """`with _opened(path) as (bytes, image)`; whatever Pillow has against the file becomes _Unreadable."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> tuple[bytes, Any]:
        from PIL import Image

        try:
            raw = self.path.read_bytes()
            if not raw:
                raise _Unreadable("0 bytes")
            self.image = Image.open(io.BytesIO(raw))
            return raw, self.image
        except Exception as error:
            raise _reason(error) from error

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.image.close()
        if isinstance(error, Exception):
            raise _reason(error) from error


def _reason(error: Exception) -> _Unreadable:
    """Pillow raises OSError, ValueError, SyntaxError, struct.error and more for damaged files: each means that the file is no image."""
    if isinstance(error, _Unreadable):
        return error
    said = " ".join(str(error).split())
    return _Unreadable("not an image" if "cannot identify image file" in said else (said or type(error).__name__)[:200])


def pixels_of(path: Path, channels: int, height: int, width: int, fit: Fit) -> np.ndarray:
    with _opened(path) as (_, image):
        image.draft(None, (2 * max(height, width),) * 2)  # JPEG alone: decoded at a half, a quarter or an eighth where that is enough
        with _alone if _bounded(image) > LARGE else nullcontext():
            return _prepared(image, channels, height, width, fit)


def _bounded(image: Any) -> int:
    """How many pixels will be decoded. Raises _Unreadable for more than `MOST_PIXELS`."""
    pixels = int(image.width * image.height)
    if pixels > MOST_PIXELS:
        raise _Unreadable(f"{image.width} x {image.height} pixels, more than {MOST_PIXELS:,}")
    return pixels


def any_pixels(image: Any, row: int, shape: tuple[int, int, int], fit: Fit) -> np.ndarray:
    """uint8 [C, H, W] of one image given to `encode`."""
    Image = pillow()
    try:
        if isinstance(image, str | Path):
            return pixels_of(Path(image).expanduser(), *shape, fit)
        if not isinstance(image, Image.Image):
            array = np.asarray(image)
            if array.ndim == 3 and (array.shape == shape or (array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4))):
                array = array.transpose(1, 2, 0)
            if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
                raise BadInput(messages.IMAGE_BAD_ARRAY, row=row, dtype=array.dtype, shape=list(array.shape))
            image = Image.fromarray(np.ascontiguousarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array))
        return _prepared(image, *shape, fit)
    except _Unreadable as error:
        raise BadInput(messages.IMAGE_BAD_FILES, count=1, files=f"  {image}: {error}") from error
    except (OSError, ValueError) as error:
        raise BadInput(messages.IMAGE_BAD_FILES, count=1, files=f"  {row}: {_reason(error)}") from error


def _prepared(image: Any, channels: int, height: int, width: int, fit: Fit) -> np.ndarray:
    """A PIL image as uint8 [C, H, W]: turned, made opaque, 8 bits, resized."""
    from PIL import Image, ImageOps

    image = _opaque(_eight_bits(ImageOps.exif_transpose(image))).convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        bicubic = Image.Resampling.BICUBIC
        image = ImageOps.fit(image, (width, height), bicubic) if fit == "crop" else image.resize((width, height), bicubic)
    pixels = np.array(image)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _eight_bits(image: Any) -> Any:
    """65535 becomes 255; Pillow itself would cut off what is above 255."""
    from PIL import Image

    if image.mode == "F":
        raise _Unreadable("32-bit floating-point pixels")
    if image.mode != "I" and not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise _Unreadable(f"pixels from {values.min()} to {values.max()}, more than 16 bits")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def _opaque(image: Any) -> Any:
    """The image laid on white where it is transparent."""
    from PIL import Image

    if not image.has_transparency_data:
        return image
    grey = image.mode in GREY
    image = image.convert("RGBA")
    laid = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return laid.convert("L" if grey else "RGB")


def pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise BadInput(messages.EXTRA_NEEDED, model="image_folder", package="pillow", extra="vision") from error
    return Image
