"""A new run that starts from weights: what fits is taken by its name, and what was taken, skipped or stays new is said and recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from danlu import messages
from danlu.core import Run
from danlu.errors import BadInput, Refused, Sentence, say
from danlu.run import durable, log
from danlu.run.folder import read_json
from danlu.run.report import WEIGHTS
from danlu.use.reference import refer

SHOWN = 4  # names that a sentence gives
PICKLED = (".pt", ".pth", ".bin", ".ckpt")
HUB = "hf:"


@dataclass(frozen=True)
class Weights:
    """Named tensors, and where they are from (plain values, for the record). labels: names of the classes that they know, if said."""

    tensors: dict[str, Tensor]
    origin: dict[str, Any]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taken:
    """taken: copied. skipped: there, but of another shape. new: of the model alone. unused: of the source alone. prefix: what the
    source's names lacked (or, after a minus, had too much). other_labels: the classes were others, though the shapes agree."""

    origin: dict[str, Any]
    taken: list[str]
    skipped: list[str]
    new: list[str]
    unused: list[str]
    prefix: str = ""
    other_labels: bool = False

    def record(self) -> dict[str, Any]:
        """As plain values for record.json."""
        return {
            **self.origin,
            "prefix": self.prefix,
            "taken": len(self.taken),
            "skipped": self.skipped,
            "new": self.new,
            "unused": self.unused,
        }

    def said(self) -> list[str]:
        """A sentence for each thing that a person should know."""
        lines = [say(messages.FROM_TAKEN, source=self.origin["source"], count=len(self.taken))]
        groups: tuple[tuple[Sentence, list[str]], ...] = (
            (messages.FROM_SKIPPED, self.skipped),
            (messages.FROM_NEW, self.new),
            (messages.FROM_UNUSED, self.unused),
        )
        for sentence, names in groups:
            if names:
                shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
                lines.append(say(sentence, count=len(names), names=shown))
        return lines + ([say(messages.FROM_OTHER_LABELS)] if self.other_labels else [])


def start_from(run: Run, source: str) -> Taken:
    """Copy into the run's model what fits of a source: a run (`RUN`, `RUN@best`, ...), a .safetensors file, or `hf:NAME`.

    Optimiser, schedule and techniques are the new run's own. Raises BadInput for a source that cannot be read, Refused where nothing fits.
    """
    found = read(source)
    own = run.placement.named(run.model)
    prefix, tensors = _aligned(own, found.tensors)
    fits = [name for name in own if name in tensors and tensors[name].shape == own[name].shape]
    if not fits:
        raise Refused(messages.FROM_NOTHING, source=source, given=_some(found.tensors), own=_some(own))
    run.placement.load_weights(run.model, {name: tensors[name] for name in fits})
    skipped = [f"{name} {list(tensors[name].shape)} -> {list(own[name].shape)}" for name in own if name in tensors and name not in fits]
    new, unused = [name for name in own if name not in tensors], [name for name in tensors if name not in own]
    other = bool(found.labels) and not skipped and found.labels != run.data.facts.labels
    return Taken({"source": source, **found.origin}, fits, skipped, new, unused, prefix, other)


def read(source: str) -> Weights:
    """The tensors that a source names."""
    if source.startswith(HUB):
        return _hub(source.removeprefix(HUB))
    path = Path(source).expanduser()
    if path.suffix.lower() in PICKLED:
        raise BadInput(messages.FROM_PICKLE, path=path, out=path.with_suffix(".safetensors"))
    if path.suffix.lower() == ".safetensors":
        if not path.is_file():
            raise BadInput(messages.IMPORT_NO_FILE, path=path)
        return Weights(_load(path), {"file": str(path.resolve()), "sha256": durable.read(path)[1]})
    return _run(source)


def _run(source: str) -> Weights:
    reference = refer(source)
    folder = reference.folder
    kept = read_json(folder / "record.json") if (folder / "record.json").is_file() else {}
    origin: dict[str, Any] = {"run": str(folder.resolve())}
    if kept.get("ancestry"):
        origin["before"] = kept["ancestry"]
    facts = read_json(folder / "preprocess.json").get("facts", {}) if (folder / "preprocess.json").is_file() else {}
    labels = tuple(facts.get("labels", ()))
    done = next((event for event in reversed(log.read(folder / "events.jsonl")) if event.get("event") == "done"), None)
    if reference.checkpoint is None and done:
        path = folder / WEIGHTS
        if not path.is_file() or durable.read(path)[1] != done["sha256"]:
            raise BadInput(messages.WEIGHTS_CHANGED, path=path)
        origin |= {"step": done["best_step"] or done["step"], "weights": done["weights"], "sha256": done["sha256"]}
        return Weights(_load(path), origin, labels)
    from danlu.use.load import load

    trained = load(reference, device="cpu")
    origin |= {"step": trained.step, "weights": trained.weights}
    return Weights({name: value.detach() for name, value in trained.placement.named(trained.model).items()}, origin, labels)


def _hub(name: str) -> Weights:
    """The weights of a model on the hub (or in its cache, or in a local folder): model.safetensors, whole or in shards."""
    folder = Path(name).expanduser()
    local = folder.is_dir()

    def file(wanted: str) -> Path:
        if local:
            if not (folder / wanted).is_file():
                raise FileNotFoundError(folder / wanted)
            return folder / wanted
        try:
            from huggingface_hub import hf_hub_download
        except ImportError as error:
            raise BadInput(messages.EXTRA_NEEDED, model=HUB + name, package="huggingface_hub", extra="hf") from error
        return Path(hf_hub_download(name, wanted))

    try:
        try:
            paths = [file("model.safetensors")]
        except OSError:
            index = json.loads(file("model.safetensors.index.json").read_text(encoding="utf-8"))
            paths = [file(shard) for shard in sorted(set(index["weight_map"].values()))]
    except (OSError, ValueError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise BadInput(messages.FROM_HUB, name=name, reason=reason[:300]) from error
    tensors = {key: value for path in paths for key, value in _load(path).items()}
    return Weights(tensors, {"hub": name, "sha256": [durable.read(path)[1] for path in paths]})


def _load(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise BadInput(messages.IMPORT_BROKEN, path=path, reason=error) from error


def _aligned(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
    """The given tensors under the model's names: as they are, or with the one prefix added or taken off that makes the most names agree."""
    best: tuple[int, str, dict[str, Tensor]] = (len(own.keys() & given.keys()), "", dict(given))
    added = {name[: -len(other)] for name in own for other in given if name.endswith("." + other)}
    for prefix in sorted(added):
        renamed = {prefix + name: value for name, value in given.items()}
        best = max(best, (len(own.keys() & renamed.keys()), prefix, renamed), key=lambda found: found[0])
    taken = {name[: -len(other)] for name in given for other in own if name.endswith("." + other)}
    for prefix in sorted(taken):
        renamed = {name.removeprefix(prefix): value for name, value in given.items()}
        best = max(best, (len(own.keys() & renamed.keys()), "-" + prefix, renamed), key=lambda found: found[0])
    return best[1], best[2]


def _some(names: Mapping[str, Tensor]) -> str:
    return ", ".join(list(names)[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
