"""What simple methods reach on the same rows, so that a person sees whether the net is worth it.

Always the majority class or the mean; a linear model of what the net is given (numbers and one-hot categories, pixels, TF-IDF of tokens);
for tables histogram gradient boosting; all from scikit-learn at its default settings. For language models counts of tokens and of pairs.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.core import Run
from danlu.data.source import Facts, Rows
from danlu.errors import Sentence
from danlu.evaluation.intervals import Interval, RowFigures, Says, interval, row_figures

MOST_ROWS = 50_000  # of train that a baseline sees
MOST_PAIRS = 2048  # tokens up to which pairs are counted
LEAST = 1e-12  # probability of a class that a method gives none


@dataclass(frozen=True)
class Baseline:
    """figures and their intervals; better: the interval of the net's figure minus this one, over the same drawn rows."""

    name: str
    about: Sentence
    figures: dict[str, float | None]
    intervals: dict[str, Interval | None]
    better: dict[str, Interval | None]
    seconds: float

    def plain(self) -> dict[str, Any]:
        own = {"name": self.name, "metrics": self.figures, "intervals": self.intervals, "net_minus_baseline": self.better}
        return {**own, "seconds": round(self.seconds, 3)}


def baselines(run: Run, train: Rows, test: Rows, net: RowFigures, seed: int) -> Iterator[Baseline]:
    """Each baseline, fitted on `train` and measured on `test` as the net was (`net`), one after the other: some take a while."""
    drawn = net.resampled(seed)
    for name, about, fit in _methods(run.data.facts):
        began = time.monotonic()
        with warnings.catch_warnings(action="ignore"):  # a linear model that is cut short is still a baseline
            says = fit(run.data.facts, train)
        figures = row_figures(run, test, says=says)
        other = figures.resampled(seed)
        better = {key: interval([_minus(a, b) for a, b in zip(values, other[key])]) for key, values in drawn.items() if key in other}
        own = {key: interval(values) for key, values in other.items()}
        yield Baseline(name, about, figures.values(), own, better, time.monotonic() - began)


Fit = Callable[[Facts, Rows], Says]


def _methods(facts: Facts) -> list[tuple[str, Sentence, Fit]]:
    if facts.task == "language":
        found: list[tuple[str, Sentence, Fit]] = [("unigram", messages.BASELINE_UNIGRAM, _unigram)]
        return found + ([("bigram", messages.BASELINE_BIGRAM, _bigram)] if facts.outputs <= MOST_PAIRS else [])
    if facts.task not in ("classify", "regress"):
        return []
    first = ("majority", messages.BASELINE_MAJORITY) if facts.task == "classify" else ("mean", messages.BASELINE_MEAN)
    found = [(*first, _constant), ("linear", messages.BASELINE_LINEAR, _linear)]
    table = len(facts.shape) == 1 and facts.vocab is None
    return found + ([("boosting", messages.BASELINE_BOOSTING, _boosted)] if table else [])


# ---- rows for scikit-learn ----


def _some(rows: Rows) -> tuple[Any, np.ndarray]:
    """Inputs and targets of at most `MOST_ROWS` rows, evenly spread."""
    count = min(len(rows), MOST_ROWS)
    inputs, targets = rows.fetch(torch.arange(count) * len(rows) // count, 0)
    return inputs, targets.numpy() if targets.dim() == 1 or targets.shape[1] > 1 else targets[:, 0].numpy()


def _labelled(inputs: Any, targets: np.ndarray) -> tuple[Any, np.ndarray]:
    """Without the rows that have no label."""
    there = torch.from_numpy(np.flatnonzero(targets >= 0))
    taken = {key: value[there] for key, value in inputs.items()} if isinstance(inputs, dict) else inputs[there]
    return taken, targets[there.numpy()]


def _columns(inputs: Any) -> np.ndarray:
    """Numbers, then category ids, a column each."""
    parts = [inputs["numeric"], inputs["category"].float()] if isinstance(inputs, dict) else [inputs.flatten(1)]
    return torch.cat(parts, 1).numpy()


def _fitted(facts: Facts, train: Rows, prepare: Callable[[Any], Any], model: Any) -> Says:
    inputs, targets = _some(train)
    if facts.task == "classify":
        inputs, targets = _labelled(inputs, targets)
    model.fit(prepare(inputs), targets)

    def says(inputs: Any) -> Tensor:
        rows = prepare(inputs)
        if facts.task == "regress":
            return torch.from_numpy(np.asarray(model.predict(rows), np.float32)).reshape(rows.shape[0], -1)
        scores = torch.full((rows.shape[0], facts.outputs), LEAST, dtype=torch.float64)
        scores[:, torch.from_numpy(model.classes_)] = torch.from_numpy(model.predict_proba(rows)).double().clamp_min(LEAST)
        return scores.log().float()

    return says


# ---- the methods ----


def _constant(facts: Facts, train: Rows) -> Says:
    from sklearn.dummy import DummyClassifier, DummyRegressor

    model = DummyClassifier(strategy="prior") if facts.task == "classify" else DummyRegressor()
    return _fitted(facts, train, lambda inputs: np.zeros((_count(inputs), 1)), model)


def _linear(facts: Facts, train: Rows) -> Says:
    from sklearn.compose import make_column_transformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    model = LogisticRegression(max_iter=200) if facts.task == "classify" else Ridge()
    if facts.vocab is not None:
        pad = facts.padding or 0

        def as_words(inputs: Tensor) -> np.ndarray:
            return np.array([" ".join(map(str, row[row != pad].tolist())) for row in inputs])

        return _fitted(facts, train, as_words, make_pipeline(TfidfVectorizer(analyzer=str.split), model))
    numbers = facts.shape[0] if len(facts.shape) == 1 and facts.cardinalities else int(np.prod(facts.shape))
    places = list(range(numbers, numbers + len(facts.cardinalities)))
    encoder = make_column_transformer(
        (StandardScaler(), list(range(numbers))), (OneHotEncoder(handle_unknown="ignore"), places), sparse_threshold=1.0
    )
    return _fitted(facts, train, _columns, make_pipeline(encoder, model))


def _boosted(facts: Facts, train: Rows) -> Says:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    numbers = facts.shape[0]
    few = [numbers + place for place, size in enumerate(facts.cardinalities) if size < 255]  # as many as it can take
    kind = HistGradientBoostingClassifier if facts.task == "classify" else HistGradientBoostingRegressor
    if facts.task == "regress" and facts.outputs > 1:
        from sklearn.multioutput import MultiOutputRegressor

        return _fitted(facts, train, _columns, MultiOutputRegressor(kind(categorical_features=few, random_state=0)))
    return _fitted(facts, train, _columns, kind(categorical_features=few, random_state=0))


def _unigram(facts: Facts, train: Rows) -> Says:
    """Shares of the tokens, each counted once more (Laplace)."""
    scores = (_tokens(facts, train)[0] + 1.0).log()
    scores = (scores - scores.logsumexp(0)).float()
    return lambda inputs: scores.expand(*inputs.shape, -1)


def _bigram(facts: Facts, train: Rows) -> Says:
    """Shares of the tokens after each token, backing off to all of them by the number of different followers (Witten and Bell 1991)."""
    counts, pairs = _tokens(facts, train)
    share = (counts + 1.0) / (counts + 1.0).sum()
    kinds = (pairs > 0).sum(1, keepdim=True).double()
    scores = ((pairs + kinds * share) / (pairs.sum(1, keepdim=True) + kinds).clamp_min(1.0)).clamp_min(LEAST)
    scores = torch.where(kinds > 0, scores, share).log().float()
    return lambda inputs: scores[inputs]


def _tokens(facts: Facts, train: Rows) -> tuple[Tensor, Tensor]:
    """How often each token is a target, float64 [V], and how often it follows each, float64 [V, V] (empty where V is large)."""
    size = facts.outputs
    counts = torch.zeros(size, dtype=torch.float64)
    pairs = torch.zeros(size * size if size <= MOST_PAIRS else 0, dtype=torch.float64)
    for ids in torch.arange(len(train)).split(256):
        inputs, targets = (rows.flatten() for rows in train.fetch(ids, 0))
        there = targets >= 0
        counts += torch.bincount(targets[there], minlength=size)
        if len(pairs):
            pairs += torch.bincount(inputs[there] * size + targets[there], minlength=size * size)
    return counts, pairs.view(size, -1) if len(pairs) else pairs


def _count(inputs: Any) -> int:
    return len(next(iter(inputs.values()))) if isinstance(inputs, dict) else len(inputs)


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
