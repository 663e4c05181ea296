"""`tabular` at its default settings beside scikit-learn's histogram gradient boosting at its own, on CSV files of the shared data sets.

    DANLU_DATA=/path/to/data OMP_NUM_THREADS=1 python bench/own_tables.py [SET ...] [--seeds N] [field=value ...]

Both see the same train and test rows; the boosting gets the numbers and category ids that the net gets. `adult` and `california_housing`
are what the defaults were looked at on; `wine_quality` was not.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from danlu.data.adult import NAMES
from danlu.data.source import Data
from danlu.data.tabular import Tabular
from danlu.describe.override import override
from danlu.recipes.tabular import tabular
from danlu.run.train import train

WINE = (
    "fixed acidity,volatile acidity,citric acid,residual sugar,chlorides,free sulfur dioxide,total sulfur dioxide,density,pH,sulphates,"
    "alcohol,quality"
)


def files(folder: Path, shared: Path) -> dict[str, Tabular]:
    """CSV files as a person would have them."""
    train, test = ((shared / "adult" / f"adult-{part}.csv").read_text("utf-8") for part in ("train", "test"))
    rows = [line.rstrip(".") for line in (train + test).splitlines() if line.strip()]
    (folder / "adult.csv").write_text(",".join(NAMES) + "\n" + "\n".join(rows), "utf-8")
    wine = shared / "wine_quality" / "winequality-white.csv"
    (folder / "wine.csv").write_text(WINE + "\n" + wine.read_text("utf-8"), "utf-8")
    return {
        "adult": Tabular(str(folder / "adult.csv"), "income"),
        "california_housing": Tabular(str(shared / "california_housing" / "housing.csv"), "median_house_value"),
        "wine_quality": Tabular(str(folder / "wine.csv"), "quality", task="regress"),
    }


def boosted(data: Data, seed: int) -> float:
    """Test AUROC or R2 of histogram gradient boosting at its default settings."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.metrics import r2_score, roc_auc_score

    (x, y), (x_test, y_test) = (_arrays(rows) for rows in (data.train, data.test))
    names = [place for place in range(x.shape[1]) if place >= data.facts.shape[0]]
    names = [place for place in names if data.facts.cardinalities[place - data.facts.shape[0]] < 255]
    if data.facts.task == "classify":
        model = HistGradientBoostingClassifier(categorical_features=names, random_state=seed).fit(x, y)
        return float(roc_auc_score(y_test, model.predict_proba(x_test)[:, 1]))
    model = HistGradientBoostingRegressor(categorical_features=names, random_state=seed).fit(x, y)
    return float(r2_score(y_test, model.predict(x_test)))


def _arrays(rows: Any) -> tuple[np.ndarray, np.ndarray]:
    inputs, targets = rows.content()
    return torch.cat([inputs["numeric"], inputs["category"].float()], 1).numpy(), targets.flatten().numpy()


def measured(description: Tabular, seeds: int, changes: list[str]) -> Iterator[tuple[float, float, float]]:
    """(net, boosting, CPU seconds of the net) for each seed."""
    data = description()
    for seed in range(seeds):
        recipe = override(replace(tabular(), data=description, seed=seed), changes) if changes else None
        recipe = recipe or replace(tabular(), data=description, seed=seed)
        start = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            metrics = train(recipe, Path(folder) / "run").metrics
        seconds = time.process_time() - start
        figure = "test_auroc" if data.facts.task == "classify" else "test_r2"
        yield float(metrics[figure]), boosted(data, seed), seconds


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="SET or field=value")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_intermixed_args(arguments)
    torch.set_num_threads(1)
    sets = [word for word in asked.words if "=" not in word]
    changes = [word for word in asked.words if "=" in word]
    with tempfile.TemporaryDirectory() as folder:
        for name, description in files(Path(folder), Path(os.environ["DANLU_DATA"])).items():
            if sets and name not in sets:
                continue
            for row in (rows := list(measured(description, asked.seeds, changes))):
                print(f"  {name}: net {row[0]:.4f}  boosting {row[1]:.4f}  {row[2]:.0f} CPU-s", flush=True)
            net, trees = (statistics.mean(row[place] for row in rows) for place in (0, 1))
            print(f"{name}: net {net:.4f}  boosting {trees:.4f}  difference {net - trees:+.4f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
