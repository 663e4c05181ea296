"""Mutated headers of tensor files and manifests, read in processes that may die: `python -m exam.fuzz FOLDER FIRST LAST`.

It prints one line of JSON: how many were read and how many refused, what else was raised, and the most memory held beyond the start.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from danlu.errors import Trouble
from danlu.run import checkpoint, folder, log, preprocess
from danlu.use import start_from
from danlu.use.import_weights import import_weights

HUGE = (0, 1, -1, 7, 2**31, 2**32, 2**40, 2**53, 2**63, 2**64 - 1, 2**64, 10**30, -(2**63))
BYTES = (b"\0", b"\xff", b"{", b"}", b'"', b"[" * 200, b"9" * 50, b"\\u0000", b"NaN", b"-0", b"1e400", b"\xed\xa0\x80")


def seed_tensors() -> dict[str, torch.Tensor]:
    return {"a": torch.arange(6.0).view(2, 3), "b": torch.arange(4), "c": torch.zeros(0), "d": torch.ones(3, dtype=torch.bfloat16)}


def mutated(raw: bytes, draw: random.Random) -> bytes:
    """One to four changes of bytes anywhere."""
    content = bytearray(raw)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(content) + 1)
        kind = draw.randrange(6)
        if kind == 0 and content:
            content[min(at, len(content) - 1)] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del content[at : at + draw.choice((1, 8, 64, len(content)))]
        elif kind == 2:
            content[at:at] = draw.choice(BYTES)
        elif kind == 3:
            content[at : at + 4] = draw.randbytes(4)
        elif kind == 4:
            content[at:at] = content[: draw.randrange(len(content) + 1)]
        else:
            content[at:at] = str(draw.choice(HUGE)).encode()
    return bytes(content)


def tree(value: Any, draw: random.Random, depth: int = 0) -> Any:
    """The JSON value with one or more of its parts replaced by another kind of value, or doubled, or gone."""
    if draw.random() < 0.15:
        return draw.choice(
            [*HUGE, None, True, "", "x" * 1000, [], {}, [[]], 1.5, float("nan"), "../../x", "\0", "F64", [2**40, 2**40], [0] * 100]
        )
    if isinstance(value, dict):
        items = [(key if draw.random() > 0.05 else draw.choice(("", "..", "a", "x" * 300)), tree(v, draw)) for key, v in value.items()]
        return dict(item for item in items if draw.random() > 0.05)
    return [tree(item, draw) for item in value] if isinstance(value, list) else value


def header(raw: bytes, draw: random.Random) -> bytes:
    """A safetensors file with another header, or another length of it."""
    size = int.from_bytes(raw[:8], "little")
    kind = draw.randrange(4)
    if kind == 0:
        return (draw.choice(HUGE) % 2**64).to_bytes(8, "little") + raw[8:]
    if kind == 1:
        return mutated(raw[: 8 + size], draw) + raw[8 + size :]
    text = json.dumps(tree(json.loads(raw[8 : 8 + size]), draw)).encode()
    text = mutated(text, draw) if kind == 2 else text
    return len(text).to_bytes(8, "little") + text + raw[8 + size :]


def plain(raw: bytes, draw: random.Random) -> bytes:
    """A JSON file with other values, or other bytes."""
    if draw.random() < 0.4:
        return mutated(raw, draw)
    changed = tree(json.loads(raw), draw)
    return json.dumps(changed, indent=1).encode()


def sealed(raw: bytes, draw: random.Random) -> bytes:
    """A manifest with other values whose digest of itself is right, as somebody could write it."""
    body = json.loads(raw)
    body.pop("digest")
    changed = tree(body, draw)
    return checkpoint._sealed(changed) if isinstance(changed, dict) else plain(raw, draw)


def prepared(here: Path) -> dict[str, tuple[Path, bytes, Callable[[bytes, random.Random], bytes], Callable[[], Any]]]:
    """What is mutated: the file, its content, how, and what reads it."""
    (here / "run").mkdir(parents=True, exist_ok=True)
    checkpoints = here / "checkpoints"
    step = checkpoint.write(checkpoint.image({"model": seed_tensors(), "step": 3, "t": (1, 2.5)}), checkpoints, 3)
    weights, state, manifest = here / "run" / "w.safetensors", step / "state.json", step / "manifest.json"
    weights.write_bytes((step / "model.safetensors").read_bytes())
    metrics = here / "run" / "metrics.jsonl"
    metrics.write_text('{"step": 1, "loss": 2.5}\n{"step": 2, "loss": null, "nonfinite": ["loss"]}\n')
    form = here / "run" / "preprocess.json"
    form.write_text(json.dumps({"format": 1, "preprocess": {"kind": "arrays"}, "facts": {"task": "classify", "shape": [3], "outputs": 2}}))
    recipe = here / "run" / "recipe.json"
    recipe.write_text(json.dumps({"model": {"mlp": {"hidden": [8]}}, "data": "digits", "steps": 3, "batch_size": 8}))
    whole = {path: path.read_bytes() for path in (weights, state, manifest, metrics, form, recipe, step / "model.safetensors")}
    out = here / "out.safetensors"

    def imported() -> None:
        out.unlink(missing_ok=True)
        import_weights(weights, out)

    def described() -> None:
        from danlu.describe.forms import from_data

        from_data(folder.read_json(recipe))

    inner = step / "model.safetensors"
    return {
        "weights": (weights, whole[weights], header, lambda: start_from.read(str(weights))),
        "imported": (weights, whole[weights], header, imported),
        "tensors of a checkpoint": (inner, whole[inner], header, lambda: checkpoint.read(step, verified=True)),
        "manifest": (manifest, whole[manifest], plain, lambda: checkpoint.read(step)),
        "sealed manifest": (manifest, whole[manifest], sealed, lambda: checkpoint.read(step)),
        "state": (state, whole[state], plain, lambda: checkpoint.read(step, verified=True)),
        "log": (metrics, whole[metrics], mutated, lambda: log.read(metrics)),
        "preprocess": (form, whole[form], plain, lambda: preprocess.read(here / "run")),
        "recipe": (recipe, whole[recipe], plain, described),
    }


def held() -> int:
    """The most memory (bytes) that this process has held."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


def main(here: Path, first: int, last: int) -> None:
    targets = prepared(here)
    for _, _, _, reads in targets.values():
        reads()  # unchanged, each is read; what is imported late is there
    before, read, refused, wrong = held(), 0, 0, []
    for number in range(first, last):
        draw, name = random.Random(number), list(targets)[number % len(targets)]
        path, content, change, reads = targets[name]
        (here / "now").write_text(f"{number} {name}")
        path.write_bytes(change(content, draw))
        try:
            reads()
            read += 1
        except Trouble:
            refused += 1
        except Exception as error:
            wrong.append(f"{number}, {name}: {type(error).__name__}: {error}"[:300])
        path.write_bytes(content)
    print(json.dumps({"read": read, "refused": refused, "wrong": wrong, "memory": held() - before}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
