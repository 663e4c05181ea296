"""`danlu hessian RUN [top|trace|sharpness|surface]`: the loss around a trained model."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from danlu import messages
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.text import wrapped
from danlu.errors import BadInput, say

if TYPE_CHECKING:
    from danlu.curvature.hessian import Hessian
    from danlu.use.load import Trained

LOOKS = ("top", "trace", "sharpness", "surface")
SPLIT = Flag("--split", messages.FLAG_HESSIAN_SPLIT, "train|val|test")
ROWS = Flag("--rows", messages.FLAG_HESSIAN_ROWS, "N")
COUNT = Flag("--count", messages.FLAG_HESSIAN_COUNT, "N")
STEPS = Flag("--steps", messages.FLAG_HESSIAN_STEPS, "N")
DRAWS = Flag("--draws", messages.FLAG_HESSIAN_DRAWS, "N")
RADIUS = Flag("--radius", messages.FLAG_HESSIAN_RADIUS, "R")
SPAN = Flag("--span", messages.FLAG_HESSIAN_SPAN, "R")
POINTS = Flag("--points", messages.FLAG_HESSIAN_POINTS, "N")
OUT = Flag("--out", messages.FLAG_HESSIAN_OUT, "DIR")
JSON = Flag("--json", messages.FLAG_HESSIAN_JSON)
FLAGS = (SPLIT, ROWS, COUNT, STEPS, DRAWS, RADIUS, SPAN, POINTS, OUT, JSON)
COMMAND = Command("hessian", messages.ABOUT_HESSIAN, "RUN [top|trace|sharpness|surface]", 1, 2, FLAGS, messages.MORE_HESSIAN)
ONLY = {"--count": "top", "--steps": "top", "--draws": "trace", "--radius": "sharpness", "--span": "surface", "--points": "surface"}
RADII = (0.125, 0.25, 0.5, 1.0, 2.0)  # of the asked one: what the picture shows


def run(words: list[str], given: Given) -> int:
    chosen = words[1:] or list(LOOKS)
    if chosen[0] not in LOOKS:
        raise BadInput(messages.HESSIAN_WHAT, known=", ".join(LOOKS), found=chosen[0])
    for flag, what in ONLY.items():
        if given[flag] is not None and what not in chosen:
            raise BadInput(messages.HESSIAN_FLAG, flag=flag, what=what)
    split = given["--split"] or "train"
    if split not in ("train", "val", "test"):
        raise BadInput(messages.EVALUATE_SPLIT, found=split)
    rows = _whole(given, "--rows", 512, 1)
    numbers = {
        "count": _whole(given, "--count", 5, 1),
        "steps": _whole(given, "--steps", 80, 2),
        "draws": _whole(given, "--draws", 32, 2),
        "radius": _positive(given, "--radius", 0.05),
        "span": _positive(given, "--span", 1.0),
        "points": _whole(given, "--points", 21, 3),
    }
    out = Path(given["--out"]) if given["--out"] else None
    if out is not None and out.exists():
        raise BadInput(messages.OUT_EXISTS, path=out)
    from danlu.curvature.hessian import of_run
    from danlu.use.evaluate import own_rows
    from danlu.use.load import load

    trained = load(words[0])
    data = own_rows(trained, split)
    if out is not None:
        out.mkdir(parents=True)
    with of_run(trained, data, rows) as hessian:
        loss = hessian.loss()
        plain: dict[str, Any] = {
            "run": str(trained.folder),
            "step": trained.step,
            "split": split,
            "rows": min(rows, len(data)),
            "loss": loss,
        }
        lines = [say(messages.HESSIAN_AT, **{key: plain[key] for key in ("step", "loss", "rows", "split")})]
        pictures = _looked(hessian, trained, chosen, numbers, out, plain, lines)
    text = json.dumps(plain, allow_nan=False)
    if given["--json"]:
        print(text)
    else:
        print("\n".join(row for line in lines for row in wrapped(line, columns())))
    if out is not None:
        (out / "hessian.json").write_text(text + "\n", encoding="utf-8")
        for path in [] if given["--json"] else [out / "hessian.json", *pictures]:
            print(say(messages.WRITTEN, path=path))
    return 0


def _looked(
    hessian: Hessian,
    trained: Trained,
    chosen: list[str],
    numbers: dict[str, Any],
    out: Path | None,
    plain: dict[str, Any],
    lines: list[str],
) -> list[Path]:
    """Look, put what was found into `plain` and what is to be said into `lines`; the pictures that were written."""
    from danlu.curvature import draw
    from danlu.curvature.hessian import top, trace
    from danlu.curvature.surface import filter_normalised, sharpness, surface

    seed, pictures = trained.seed, []
    vectors = []

    def drawn(name: str, picture: Any, *found: Any) -> None:
        if out is not None:
            pictures.append(picture(*found, out / f"{name}.png", _tell))

    if "top" in chosen:
        highest = top(hessian, numbers["count"], numbers["steps"], seed=seed)
        vectors = [highest.vectors[0]]
        plain["top"] = {key: getattr(highest, key) for key in ("values", "errors", "lowest", "products")}
        said = ", ".join(f"{value:.4g} ± {error:.1g}" if error else f"{value:.4g}" for value, error in zip(highest.values, highest.errors))
        lines.append(say(messages.HESSIAN_TOP, products=highest.products, values=said, lowest=highest.lowest))
        if edge := _edge(trained):
            lines.append(say(messages.HESSIAN_EDGE, rate=edge[0], edge=edge[1]))
        drawn("spectrum", draw.spectrum, highest)
    if "trace" in chosen:
        total = trace(hessian, numbers["draws"], seed)
        plain["trace"] = asdict(total)
        name = max(total.blocks, key=lambda name: total.blocks[name])
        share = total.blocks[name] / total.mean if total.mean else 0.0
        said_trace = {"mean": total.mean, "error": total.error, "draws": len(total.draws), "name": name, "share": share}
        lines.append(say(messages.HESSIAN_TRACE, **said_trace))
        drawn("trace", draw.trace, total)
        drawn("trace_of_parameters", draw.blocks, total)
    if "sharpness" in chosen:
        starts = vectors or list(top(hessian, 1, 20, seed=seed).vectors)
        rises = [sharpness(hessian, numbers["radius"] * share, starts, seed=seed) for share in (RADII if out is not None else (1.0,))]
        plain["sharpness"] = [asdict(one) for one in rises]
        lines += [say(messages.HESSIAN_SHARP, **asdict(one)) for one in rises if one.radius == numbers["radius"]]
        drawn("sharpness", draw.rises, rises)
    if "surface" in chosen:
        directions = filter_normalised(hessian, seed, "surface", 0), filter_normalised(hessian, seed, "surface", 1)
        plane = surface(hessian, directions, numbers["span"], numbers["points"])
        finite = [[value if abs(value) < inf else None for value in row] for row in plane.losses.tolist()]
        plain["surface"] = {"places": plane.places.tolist(), "losses": finite}
        known = [value for row in finite for value in row if value is not None]
        ends = {"low": min(known), "high": max(known)}
        lines.append(say(messages.HESSIAN_SURFACE, points=numbers["points"], span=numbers["span"], **ends))
        drawn("surface", draw.surface, plane)
    return pictures


def _edge(trained: Trained) -> tuple[float, float] | None:
    """SGD's rate and the curvature at which it begins to swing: (2 + 2 momentum) / rate (Cohen et al. 2021)."""
    from danlu.optim.first_order import SGD

    optimizer = trained.recipe.optimizer
    return (optimizer.lr, (2 + 2 * optimizer.momentum) / optimizer.lr) if isinstance(optimizer, SGD) else None


def _whole(given: Given, flag: str, default: int, least: int) -> int:
    value = _value(given, flag, default)
    if not least <= value < inf or value != int(value):
        raise BadInput(messages.HESSIAN_NUMBER, flag=flag, expected=say(messages.HESSIAN_WHOLE, least=least), found=given[flag])
    return int(value)


def _positive(given: Given, flag: str, default: float) -> float:
    value = _value(given, flag, default)
    if not 0 < value < inf:
        raise BadInput(messages.HESSIAN_NUMBER, flag=flag, expected=say(messages.HESSIAN_POSITIVE), found=given[flag])
    return value


def _value(given: Given, flag: str, default: float) -> float:
    try:
        return float(default if given[flag] is None else given[flag])
    except ValueError:
        return -1.0


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)
