"""A trained model for other programs: safetensors, ONNX, torch.export, or a folder that predicts without danlu; each is checked."""

from __future__ import annotations

import copy
import json
import logging
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.errors import BadInput, Refused, Trouble
from danlu.losses.criterion import forward
from danlu.use.load import Trained

KINDS = {"safetensors": ".safetensors", "onnx": ".onnx", "torch-export": ".pt2", "bundle": ""}  # and the ending of each
SIZES = (2, 5)  # rows of the two batches that an export is checked with
TOLERANCE = 1e-4  # largest difference, over the largest score, that another way to compute the same may make in float32


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
    if path.exists():
        raise BadInput(messages.OUT_EXISTS, path=path)
    from danlu.use.bundle import bundle

    writers: dict[str, Callable[[Trained, Path], float]] = {
        "safetensors": _safetensors,
        "onnx": _onnx,
        "torch-export": torch_export,
        "bundle": bundle,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return Exported(path, writers[to](trained, path))
    except OSError as error:
        remove(path)
        raise BadInput(messages.RUN_CANNOT_WRITE, folder=path, reason=error.strerror or error) from error
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


class Scores(nn.Module):
    """A model from rows, as positional tensors, to the scores that metrics look at; on the CPU, in float32, its own copy."""

    def __init__(self, trained: Trained, names: tuple[str, ...]):
        super().__init__()
        self.model = copy.deepcopy(trained.model).cpu().float().eval()
        self.point, self.names = trained.criterion.point, names

    def forward(self, *rows: Tensor) -> Tensor:
        inputs = dict(zip(self.names, rows)) if self.names else rows[0]
        output = self.point(forward(self.model, inputs))
        return getattr(output, "logits", output)


def example(trained: Trained, rows: int, seed: int = 0) -> dict[str, Tensor]:
    """Made rows of the form that the model takes, by name ("rows" where it takes one tensor). Raises Refused where that is not known."""
    facts, draw = trained.facts, torch.Generator().manual_seed(seed)
    if trained.form.get("kind") == "table":
        sizes = facts.cardinalities
        ids = [torch.randint(0, size, (rows, 1), generator=draw) for size in sizes]
        category = torch.cat(ids, 1) if ids else torch.empty(rows, 0, dtype=torch.int64)
        return {"numeric": torch.randn(rows, *facts.shape, generator=draw), "category": category}
    if trained.form.get("kind") in (None, "arrays") and not facts.shape:
        raise Refused(messages.EXPORT_UNKNOWN_INPUT)
    if facts.vocab is not None:
        return {"rows": torch.randint(0, facts.vocab, (rows, *facts.shape), generator=draw)}
    return {"rows": torch.randn(rows, *facts.shape, generator=draw)}


def exampled(trained: Trained) -> tuple[Scores, list[dict[str, Tensor]], list[Tensor]]:
    """The model to be written, two batches for it, and its scores for them."""
    batches = [example(trained, rows, rows) for rows in SIZES]
    names = () if list(batches[0]) == ["rows"] else tuple(batches[0])
    scores = Scores(trained, names)
    with torch.no_grad():
        return scores, batches, [scores(*batch.values()) for batch in batches]


def check(to: str, compute: Callable[[Mapping[str, Tensor]], Any], batches: list[dict[str, Tensor]], expected: list[Tensor]) -> float:
    """The largest difference of `compute` from what is expected. Raises Refused above the tolerance, or for other shapes."""
    worst = 0.0
    for batch, scores in zip(batches, expected):
        found = torch.as_tensor(compute(batch))
        if found.shape != scores.shape:
            raise Refused(messages.EXPORT_SHAPE, to=to, found=tuple(found.shape), expected=tuple(scores.shape))
        worst = max(worst, float((found - scores).abs().max()))
        if not worst <= TOLERANCE * max(1.0, float(scores.abs().max())):
            raise Refused(messages.EXPORT_DIFFERS, to=to, difference=worst)
    return worst


def _safetensors(trained: Trained, path: Path) -> float:
    from safetensors.torch import load_file, save_file

    own = {name: value.detach().cpu().contiguous() for name, value in trained.placement._named(trained.model).items()}
    save_file({name: value.clone() for name, value in own.items()}, path, metadata=notes(trained))
    back = load_file(path)
    if back.keys() != own.keys() or not all(torch.equal(value, back[name]) for name, value in own.items()):
        raise Refused(messages.EXPORT_DIFFERS, to="safetensors", difference="-")
    return 0.0


def torch_export(trained: Trained, path: Path) -> float:
    """Write a program of torch.export, any number of rows, and check it; the largest difference."""
    scores, batches, expected = exampled(trained)
    rows = torch.export.Dim("rows")
    program = _traced(
        "torch-export", lambda: torch.export.export(scores, tuple(batches[0].values()), dynamic_shapes=_dynamic(batches[0], rows))
    )
    _traced("torch-export", lambda: torch.export.save(program, path))
    back = torch.export.load(path).module()
    with torch.no_grad():
        return check("torch-export", lambda batch: back(*batch.values()), batches, expected)


def _onnx(trained: Trained, path: Path) -> float:
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 (what the exporter of torch needs)
    except ImportError as error:
        raise BadInput(messages.EXTRA_NEEDED, model="onnx", package=error.name, extra="export") from error
    scores, batches, expected = exampled(trained)
    names = list(batches[0])
    rows = torch.export.Dim("rows")

    def traced() -> Any:
        return torch.onnx.export(
            scores, tuple(batches[0].values()), dynamo=True, dynamic_shapes=_dynamic(batches[0], rows), input_names=names,
            output_names=["scores"], verbose=False,
        )  # fmt: skip

    program = _traced("onnx", traced)
    program.model.metadata_props.update(notes(trained))
    program.save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    taken = [given.name for given in session.get_inputs()]  # a table without categories has no such input

    def compute(batch: Mapping[str, Tensor]) -> Any:
        return session.run(None, {name: batch[name].numpy() for name in taken})[0]

    return check("onnx", compute, batches, expected)


def _dynamic(batch: Mapping[str, Tensor], rows: Any) -> Any:
    """The first dimension of every input is free."""
    return {"rows": tuple({0: rows} for _ in batch)}


def _traced(to: str, trace: Callable[[], Any]) -> Any:
    """What `trace` makes. Raises Refused with torch's own reason where the model cannot be traced."""
    log, level = logging.getLogger("torch.onnx"), logging.getLogger("torch.onnx").level
    try:
        log.setLevel(logging.ERROR)
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of torch's own making
            return trace()
    except Trouble:
        raise
    except Exception as error:  # torch raises errors of many kinds here
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise Refused(messages.EXPORT_UNTRACED, to=to, reason=reason[:300]) from error
    finally:
        log.setLevel(level)
