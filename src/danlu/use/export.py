"""A trained model for other programs: safetensors, ONNX, torch.export, or a folder that predicts without danlu; each is checked."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from danlu import messages
from danlu.errors import BadInput, Refused
from danlu.use.bundle import bundle
from danlu.use.load import Trained
from danlu.use.program import check, dynamic, exampled, torch_export, traced

KINDS = {"safetensors": ".safetensors", "onnx": ".onnx", "torch-export": ".pt2", "bundle": ""}  # and the ending of each


@dataclass(frozen=True)
class Exported:
    """path: what was written. difference: the largest absolute difference of its scores from the model's own (of weights: 0)."""

    path: Path
    difference: float


def export(trained: Trained, to: str, out: str | Path) -> Exported:
    """Write the weights that `trained` holds, and what computes with them, as `to` says; nothing is left where the check fails.

    safetensors: weights alone. onnx (needs the extra `export`), torch-export: a program from rows as the model takes them, any number of
    them, to scores. bundle: a folder with a program, the preprocessing and `predict.py`, which needs torch but no danlu.
    Raises BadInput for an unknown kind or a path that exists, Refused for a model that the form cannot hold, or whose check fails.
    """
    if to not in KINDS:
        raise BadInput(messages.EXPORT_KIND, found=to, kinds=", ".join(KINDS))
    path = Path(out)
    if os.path.lexists(path):
        raise BadInput(messages.OUT_EXISTS, path=path)
    writers: dict[str, Callable[[Trained, Path], float]] = {
        "safetensors": _safetensors,
        "onnx": _onnx,
        "torch-export": torch_export,
        "bundle": bundle,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Exported(path, writers[to](trained, path))
    except (OSError, SafetensorError) as error:
        remove(path)
        reason = getattr(error, "strerror", None) or error
        raise BadInput(messages.RUN_CANNOT_WRITE, folder=path, reason=reason) from error
    except BaseException:
        remove(path)
        raise


def remove(path: Path) -> None:
    """Whatever was begun there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    for left in (path, path.with_name(path.name + ".data")):
        left.unlink(missing_ok=True)


def notes(trained: Trained) -> dict[str, str]:
    """What a file of weights says of itself, as text: step, kind of weights, the recipe, the facts, and the preprocessing."""
    plain = {"step": trained.step, "weights": trained.weights, "facts": asdict(trained.facts), "preprocess": trained.form}
    recipe = json.loads((trained.folder / "recipe.json").read_text(encoding="utf-8"))
    return {"format": "pt", "danlu": json.dumps({**plain, "recipe": recipe}, ensure_ascii=False)}


def _safetensors(trained: Trained, path: Path) -> float:
    from safetensors.torch import load_file, save_file

    own = {name: value.detach().cpu().contiguous() for name, value in trained.placement.named(trained.model).items()}
    save_file({name: value.clone() for name, value in own.items()}, path, metadata=notes(trained))
    back = load_file(path)
    if back.keys() != own.keys() or not all(torch.equal(value, back[name]) for name, value in own.items()):
        raise Refused(messages.EXPORT_DIFFERS, to="safetensors", difference="-")
    return 0.0


def _onnx(trained: Trained, path: Path) -> float:
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 (what the exporter of torch needs)
    except ImportError as error:
        raise BadInput(messages.EXTRA_NEEDED, model="onnx", package=error.name, extra="export") from error
    scores, batches, expected = exampled(trained)
    names = list(batches[0])
    rows = torch.export.Dim("rows")

    def trace() -> Any:
        return torch.onnx.export(
            scores, tuple(batches[0].values()), dynamo=True, dynamic_shapes=dynamic(batches[0], rows), input_names=names,
            output_names=["scores"], verbose=False,
        )  # fmt: skip

    program = traced("onnx", trace)
    program.model.metadata_props.update(notes(trained))
    program.save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    taken = [given.name for given in session.get_inputs()]  # a table without categories has no such input

    def compute(batch: Mapping[str, Tensor]) -> Any:
        return session.run(None, {name: batch[name].numpy() for name in taken})[0]

    return check("onnx", compute, batches, expected)
