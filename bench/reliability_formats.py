"""How much damage to a file each format of checkpoints notices: a flipped bit, a cut end, a zeroed page in the largest file of it."""

from __future__ import annotations

import contextlib
import io
import logging
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from danlu.run import checkpoint

State = dict[str, torch.Tensor]
FLIPS, CUTS, PAGES, PAGE = 300, 100, 100, 4096


def state() -> State:
    draw = torch.Generator().manual_seed(0)
    return {f"w{k}": torch.randn(64, 64, generator=draw) for k in range(16)} | {"step": torch.tensor([7])}


def formats(folder: Path, made: State) -> dict[str, tuple[Path, Callable[[], State]]]:
    """Each saved once: the largest of its files, and how it is loaded."""
    import torch.distributed.checkpoint as dcp
    from safetensors.torch import load_file, save_file

    torch.save(made, folder / "torch.pt")
    save_file(made, folder / "plain.safetensors")
    dcp.save(made, checkpoint_id=folder / "dcp")
    own = checkpoint.write(checkpoint.image({"model": made}), folder / "danlu", 1)

    def load_dcp() -> State:
        empty = {key: torch.zeros_like(value) for key, value in made.items()}
        dcp.load(empty, checkpoint_id=folder / "dcp")
        return empty

    return {
        "danlu": (own / "model.safetensors", lambda: checkpoint.read(own)["model"]),
        "torch.save": (folder / "torch.pt", lambda: torch.load(folder / "torch.pt", weights_only=True)),
        "safetensors": (folder / "plain.safetensors", lambda: load_file(folder / "plain.safetensors")),
        "DCP": (max((path for path in (folder / "dcp").iterdir() if path.name != ".metadata"), key=lambda p: p.stat().st_size), load_dcp),
    }


def noticed(path: Path, load: Callable[[], State], made: State, damaged: Callable[[random.Random, bytes], bytes], n: int) -> str:
    """ "found / silent" over `n` damages that change what is loaded; those that change nothing are left out."""
    whole, draw, found, silent = path.read_bytes(), random.Random(1), 0, 0
    for _ in range(n):
        path.write_bytes(damaged(draw, whole))
        try:
            loaded: Any = load()
        except KeyboardInterrupt:
            raise
        except BaseException:  # DCP raises one that is no Exception
            found += 1
        else:
            silent += set(loaded) != set(made) or not all(torch.equal(loaded[key], made[key]) for key in made)
    path.write_bytes(whole)
    return f"{found} of {found + silent} ({100 * found / max(found + silent, 1):.0f} %)"


def flipped(draw: random.Random, whole: bytes) -> bytes:
    place, changed = draw.randrange(8 * len(whole)), bytearray(whole)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def cut(draw: random.Random, whole: bytes) -> bytes:
    return whole[: draw.randrange(len(whole))]


def zeroed(draw: random.Random, whole: bytes) -> bytes:
    page = draw.randrange(len(whole) - PAGE) // PAGE * PAGE
    return whole[:page] + bytes(PAGE) + whole[page + PAGE :]


def table(folder: Path) -> str:
    """Markdown: a row for each format."""
    logging.disable(logging.CRITICAL)
    lines = [f"| noticed | {FLIPS} flipped bits | {CUTS} cut ends | {PAGES} zeroed pages |", "|---|---|---|---|"]
    made = state()
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        for name, (path, load) in formats(folder, made).items():
            kinds = ((flipped, FLIPS), (cut, CUTS), (zeroed, PAGES))
            lines.append(f"| {name} | " + " | ".join(noticed(path, load, made, kind, n) for kind, n in kinds) + " |")
    logging.disable(logging.NOTSET)
    return "\n".join(lines)
