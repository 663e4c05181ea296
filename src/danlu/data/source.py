"""What a data description builds: rows to train, validate and test on, and the facts a model and a loss must know about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from torch import Tensor


class Rows(Protocol):
    """Rows that can be fetched by number, in any order: position in the data is then one integer.

    Rows may have `workers`, the number of processes that fetch them, `content()`, which returns everything that is stored, and `fixed`,
    which says that a fetch depends on the ids alone, not on `draw`.
    """

    def __len__(self) -> int: ...

    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        """The rows `ids` ([rows], int64) as (inputs, targets), each a tensor or a dict of tensors, rows first.

        draw: the key of what is random in a pass over the data (augmentation, offsets), the same for all its rows; 0 outside training.
        """
        ...


@dataclass(frozen=True, eq=False)
class Tensors:
    """Rows held in memory: `inputs` and `targets` are tensors (or dicts of tensors) with rows first; `workers` processes fetch them."""

    inputs: Any
    targets: Any
    workers: int = 0
    ahead: ClassVar[int] = 16  # micro-batches gathered at once when this process fetches them
    fixed: ClassVar[bool] = True

    def __len__(self) -> int:
        first = next(iter(self.inputs.values())) if isinstance(self.inputs, dict) else self.inputs
        return len(first)

    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        return _take(self.inputs, ids), _take(self.targets, ids)

    def content(self) -> tuple[Any, Any]:
        """All inputs and targets as they are stored, for checks and fingerprints."""
        return self.inputs, self.targets


def _take(tree: Any, ids: Tensor) -> Any:
    if isinstance(tree, dict):
        return {key: value.index_select(0, ids) for key, value in tree.items()}
    return tree.index_select(0, ids)


@dataclass(frozen=True)
class Facts:
    """What a model and a loss must know about the data; plain values only.

    task: what is learned. shape: one input row without the batch dimension: (features,), (channels, height, width), (length,).
    outputs: classes, target columns, or the vocabulary's size. vocab: tokens of the input, for token inputs.
    cardinalities: for tables, the number of categories of each categorical column (index 0 is "unknown"); shape is then (numeric columns,).
    labels: names of the classes. class_counts: rows of each class in train. rows: rows in train.
    bytes_per_token: mean UTF-8 bytes of a token, for bits per byte. padding: the id of the padding token, when there is one.
    labelled: every target of every split is a label, none is the ignored one: denominators need not be counted (found when a run is built).
    scale, shift: for regression, targets are (y - shift) / scale; metrics are given in the user's units.
    """

    task: str  # "classify" | "multilabel" | "regress" | "language" | "masked_language"
    shape: tuple[int, ...]
    outputs: int
    vocab: int | None = None
    cardinalities: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()
    rows: int = 0
    bytes_per_token: float | None = None
    padding: int | None = None
    labelled: bool = False
    shift: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class Data:
    """Splits and facts. `fingerprint` is a digest of the content; `preprocess` (plain values) is what turns raw input into rows."""

    train: Rows
    facts: Facts
    val: Rows | None = None
    test: Rows | None = None
    fingerprint: str = ""
    preprocess: dict[str, Any] = field(default_factory=dict)
