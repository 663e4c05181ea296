"""`images` and `classify_text` at their default settings on folders and tables made from the shared data sets, beside simple baselines.

    DANLU_DATA=/path/to/data OMP_NUM_THREADS=1 python bench/own_files.py [SET ...] [--seeds N] [field=value ...]

The files are as a person would have them: PNG in a folder a class, CSV with a text and a label. Net and baselines see the same train and
test rows: the majority class, and scikit-learn's logistic regression (of pixels; of TF-IDF words). None of the sets was tuned on, but for
`banking77`, which has a recipe of its own.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from danlu.core import Recipe
from danlu.data.classify_text import ClassifyText
from danlu.data.image_folder import ImageFolder
from danlu.describe.override import override
from danlu.recipes.classify_text import classify_text
from danlu.recipes.images import images
from danlu.run.train import train


def cifar10_small(folder: Path, shared: Path) -> Recipe:
    with np.load(shared / "cifar10_small" / "cifar10_small.npz") as arrays:
        for part in ("train", "test"):
            _pictures(folder / part, arrays[f"x_{part}"], arrays[f"y_{part}"])
    return replace(images(), data=ImageFolder(str(folder)))


def mnist_test10k(folder: Path, shared: Path) -> Recipe:
    source = shared / "mnist_test10k"
    pixels = np.frombuffer(gzip.decompress((source / "t10k-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)
    labels = np.frombuffer(gzip.decompress((source / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    _pictures(folder, pixels, labels)
    return replace(images(), data=ImageFolder(str(folder)))


def omniglot(folder: Path, shared: Path) -> Recipe:
    """The characters of one archive, a folder each: 20 drawings a class."""
    with zipfile.ZipFile(shared / "omniglot" / "images_background_small1.zip") as archive:
        for name in archive.namelist():
            if name.endswith(".png"):
                _, alphabet, character, file = name.split("/")
                path = folder / f"{alphabet} {character}" / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))
    return replace(images(), data=ImageFolder(str(folder)))


def clinc150(folder: Path, shared: Path) -> Recipe:
    parts = json.loads((shared / "clinc150" / "data_full.json").read_text("utf-8"))
    for part in ("train", "val", "test"):
        _table(folder / f"{part}.csv", parts[part])
    paths = {f"{part}_path": str(folder / f"{part}.csv") for part in ("val", "test")}
    return replace(classify_text(), data=ClassifyText(str(folder / "train.csv"), "text", "label", **paths))


def banking77(folder: Path, shared: Path) -> Recipe:
    source = shared / "banking77"
    return replace(classify_text(), data=ClassifyText(str(source / "train.csv"), "text", "category", test_path=str(source / "test.csv")))


SETS = (cifar10_small, mnist_test10k, omniglot, clinc150, banking77)


def _pictures(folder: Path, pixels: np.ndarray, labels: np.ndarray) -> None:
    from PIL import Image

    for row, (image, label) in enumerate(zip(pixels, labels.tolist())):
        path = folder / f"class {label}" / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, compress_level=1)


def _table(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *rows])


def baselines(recipe: Recipe) -> dict[str, float]:
    """Test accuracy of the majority class and of logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    data = recipe.data()
    (x, y), (x_test, y_test) = (_rows(recipe, rows) for rows in (data.train, data.test))
    majority = float((y_test == np.bincount(y).argmax()).mean())
    if isinstance(recipe.data, ClassifyText):
        vectorizer = TfidfVectorizer(token_pattern=r"\S+").fit(x)
        x, x_test = vectorizer.transform(x), vectorizer.transform(x_test)
    linear = LogisticRegression(max_iter=300, C=10.0 if isinstance(recipe.data, ClassifyText) else 0.01).fit(x, y)
    return {"majority": majority, "logistic": float(linear.score(x_test, y_test))}


def _rows(recipe: Recipe, rows: Any) -> tuple[Any, np.ndarray]:
    inputs, targets = rows.fetch(torch.arange(len(rows)), 0)
    if isinstance(recipe.data, ClassifyText):
        return [" ".join(f"w{token}" for token in row if token) for row in inputs.tolist()], targets.numpy()
    return inputs.flatten(1).numpy(), targets.numpy()


def measured(recipe: Recipe, seeds: int, changes: list[str]) -> Iterator[tuple[float, float]]:
    """(test accuracy, CPU seconds) for each seed."""
    for seed in range(seeds):
        own = replace(recipe, seed=seed)
        own = override(own, changes) if changes else own
        start = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            metrics = train(own, Path(folder) / "run").metrics
        yield float(metrics["test_accuracy"] or 0.0), time.process_time() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="SET or field=value")
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if not (shared := os.environ.get("DANLU_DATA")):
        print("no data: set DANLU_DATA", file=sys.stderr)
        return 2
    names = [word for word in asked.words if "=" not in word]
    for make in SETS:
        if names and make.__name__ not in names:
            continue
        with tempfile.TemporaryDirectory() as place:
            recipe = make(Path(place), Path(shared))
            simple = baselines(recipe)
            runs = list(measured(recipe, asked.seeds, [word for word in asked.words if "=" in word]))
        figures = "  ".join(f"{name} {value:.4f}" for name, value in simple.items())
        accuracies, seconds = zip(*runs)
        spread = f" [{min(accuracies):.4f}, {max(accuracies):.4f}]" if len(runs) > 1 else ""
        print(
            f"{make.__name__}: net {statistics.mean(accuracies):.4f}{spread}  {figures}  {statistics.mean(seconds):.0f} CPU-s", flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
