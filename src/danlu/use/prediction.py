"""What a model says about some rows: classes with probabilities, or numbers in the unit of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from danlu.data.source import Facts

_APART = ", "  # between the labels of a row that may have several


@dataclass(frozen=True, eq=False)
class Prediction:
    """outputs: as the model gave them, float [rows, ...]. names: of the classes.

    ids: the most probable class of each row, int64 [rows]. probabilities: float64 [rows, classes]. values: regression, float64 [rows] or
    [rows, columns], in the unit of the data. What a task does not have is None.
    """

    outputs: Tensor
    names: tuple[str, ...] = ()
    ids: Tensor | None = None
    probabilities: Tensor | None = None
    values: Tensor | None = None

    @classmethod
    def of(cls, outputs: Tensor, facts: Facts) -> Prediction:
        """The task of the data decides: softmax, a sigmoid for each label, or back to the unit of the target."""
        wide = outputs.double()
        if facts.task == "classify":
            if wide.dim() == 1 or wide.shape[1] == 1:  # one score a row: of class 1
                wide = torch.stack([torch.zeros_like(wide), wide], -1).reshape(len(wide), 2)
            probabilities = wide.softmax(1)
            return cls(outputs, facts.labels, probabilities.argmax(1), probabilities)
        if facts.task == "multilabel":
            return cls(outputs, facts.labels, None, wide.sigmoid())
        values = wide * facts.scale + facts.shift
        return cls(outputs, values=values.squeeze(1) if values.dim() == 2 and values.shape[1] == 1 else values)

    def __len__(self) -> int:
        return len(self.outputs)

    @property
    def labels(self) -> list[str]:
        """The predicted class of each row by name, or its number where classes have no names; the labels above one half, for several."""
        if self.ids is not None:
            return [self.names[i] if self.names else str(i) for i in self.ids.tolist()]
        if self.probabilities is None:
            return []
        return [_APART.join(self._name(i) for i in (row > 0.5).nonzero()[:, 0].tolist()) for row in self.probabilities]

    @property
    def confidence(self) -> Tensor | None:
        """The probability of the predicted class, float64 [rows]."""
        return None if self.ids is None or self.probabilities is None else self.probabilities.gather(1, self.ids[:, None])[:, 0]

    def columns(self, every_class: bool = False) -> dict[str, list[Any]]:
        """As columns of a table: prediction, probability, and with `every_class` the probability of each class."""
        if self.values is not None:
            if self.values.dim() == 1:
                return {"prediction": self.values.tolist()}
            return {f"prediction_{place}": column.tolist() for place, column in enumerate(self.values.T)}
        found: dict[str, list[Any]] = {"prediction": list(self.labels)}
        confidence = self.confidence
        if confidence is not None:
            found["probability"] = confidence.tolist()
        if (every_class or confidence is None) and self.probabilities is not None:
            found |= {f"probability_{self._name(place)}": column.tolist() for place, column in enumerate(self.probabilities.T)}
        return found

    def _name(self, place: int) -> str:
        return self.names[place] if self.names else str(place)

    def __repr__(self) -> str:
        shown = self.columns()
        first = {name: [round(v, 4) if isinstance(v, float) else v for v in values[:5]] for name, values in shown.items()}
        return f"Prediction({len(self)} rows: {first}{' ...' if len(self) > 5 else ''})"
