"""Cross-validation trains the recipe on each fold's own rows: nothing of the held-out rows reaches training, preparation included."""

import json
import math
import random

import numpy as np
import pytest
import torch
from scipy.stats import t

import danlu
from danlu.cli.main import main
from danlu.data.table_split import TEST
from danlu.data.tabular import Tabular
from danlu.evaluation.cross_validate import CrossValidation, Fold, cross_validate
from danlu.evaluation.folds import folds
from danlu.evaluation.pool import pool_of
from danlu.nets.mlp import MLP
from danlu.nets.tabular import TabularNet


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def arrays(count=120):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(count, 3, generator=draw)
    return x, (x[:, 0] > 0).long()


def recipe(**changes):
    fields = {
        "model": MLP(hidden=(8,)),
        "data": arrays(),
        "epochs": 8,
        "batch_size": 16,
        "device": "cpu",
        "optimizer": danlu.optim.AdamW(lr=2e-2),
    }
    return danlu.Recipe(**{**fields, **changes})


def table(path, rows=200):
    draw = random.Random(0)
    lines = ["city,size,colour,price"]
    for row in range(rows):
        size = draw.random()
        lines.append(f"{draw.choice('abc')},{size:.4f},only{row},{3 * size + draw.random() / 10:.4f}")
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_arrays():
    seen = []
    found = cross_validate(recipe(), 4, repeats=2, tell=seen.append)
    assert len(found.folds) == 8 == len(seen) and found.mean("accuracy") > 0.85
    assert [fold.rows for fold in found.folds] == [(90, 30)] * 8
    accuracies = [fold.metrics["accuracy"] for fold in found.folds]
    assert found.mean("accuracy") == pytest.approx(np.mean(accuracies)) and found.std("accuracy") == pytest.approx(
        np.std(accuracies, ddof=1)
    )


def test_interval_is_that_of_nadeau_and_bengio():
    made = CrossValidation(tuple(Fold(0, k, {"r2": value}, (80, 20)) for k, value in enumerate([0.5, 0.6, 0.7])))
    half = t.ppf(0.975, 2) * 0.1 * math.sqrt(1 / 3 + 20 / 80)
    assert made.interval("r2") == pytest.approx((0.6 - half, 0.6 + half))


def test_a_fold_is_an_ordinary_training():
    """The figures are those of `train` with the same rows."""
    made = recipe()
    pool = pool_of(made)
    parts = next(iter(folds(3, pool.hashes, pool.classes)))
    x, y = arrays()
    with pool.cut(parts) as data:
        assert torch.equal(data.test.content()[0], x[parts == TEST]) and torch.equal(data.test.content()[1], y[parts == TEST])
        held = {tuple(row) for row in data.test.content()[0].tolist()}
        assert not held & {tuple(row) for rows in (data.train, data.val) for row in rows.content()[0].tolist()}


def test_nothing_of_held_out_rows_is_prepared(tmp_path):
    """Every row has a category and a number of its own: those of held-out rows are in no form that a fold trains with."""
    made = recipe(data=Tabular(str(table(tmp_path / "a.csv")), "price", categorical=("colour",)), model=TabularNet(width=16, depth=1))
    pool = pool_of(made)
    for parts in folds(4, pool.hashes, pool.classes):
        with pool.cut(parts) as description:
            data = description()
        assert (len(data.train), len(data.val), len(data.test)) == tuple(np.bincount(parts, minlength=3))
        rule = next(rule for rule in data.preprocess["numeric"] if rule["name"] == "size")
        lines = (tmp_path / "a.csv").read_text().splitlines()[1:]
        trained = {float(line.split(",")[1]) for line, part in zip(lines, parts) if part == 0}
        assert min(trained) == rule["knots"][0] and max(trained) == rule["knots"][-1]
        assert "danlu fold" not in [*data.preprocess["columns"], *(rule["name"] for rule in data.preprocess["categorical"])]


def test_groups_of_a_table(tmp_path):
    made = recipe(
        data=Tabular(str(table(tmp_path / "a.csv")), "price", group="city", ignore=("colour",)), model=TabularNet(width=16, depth=1)
    )
    pool = pool_of(made)
    lines = (tmp_path / "a.csv").read_text().splitlines()[1:]
    city = np.array([line[0] for line in lines])
    for parts in folds(3, pool.hashes, pool.classes, pool.groups):
        assert len(set(city[parts == TEST])) == 1 and not set(city[parts == TEST]) & set(city[parts != TEST])


def test_images_and_texts(tmp_path):
    from PIL import Image

    from danlu.data.classify_text import ClassifyText
    from danlu.data.image_folder import ImageFolder

    draw = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(12):
            Image.fromarray(draw.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(tmp_path / "images" / label / f"{number}.png")
    pool = pool_of(recipe(data=ImageFolder(str(tmp_path / "images")), batch_size=4))
    for parts in folds(3, pool.hashes, pool.classes):
        with pool.cut(parts) as description:
            data = description()
        assert (len(data.train), len(data.test)) == ((parts == 0).sum(), 8) and data.facts.labels == ("a", "b")
    (tmp_path / "a.csv").write_text("text,label\n" + "\n".join(f"word{n} and {n},{'xy'[n % 2]}" for n in range(60)), "utf-8")
    pool = pool_of(recipe(data=ClassifyText(str(tmp_path / "a.csv"), "text", "label"), batch_size=4))
    for parts in folds(3, pool.hashes, pool.classes):
        with pool.cut(parts) as description:
            data = description()
        assert len(data.test) == (parts == TEST).sum() == 20


def test_nested_chooses_what_can_learn():
    """A rate of zero learns nothing: every fold chooses the other."""
    found = cross_validate(recipe(), 3, nested=[("optimizer.lr", ["1e-9", "0.02"])])
    assert [fold.chosen for fold in found.folds] == [("optimizer.lr=0.02",)] * 3 and found.mean("accuracy") > 0.85


def test_by_command(tmp_path, capsys):
    table(tmp_path / "a.csv")
    words = ["evaluate", "tabular", f"data.path={tmp_path / 'a.csv'}", "data.target=price", "steps=40", "device=cpu", "--folds", "3"]
    for language, word in (("en", "trainings"), ("zh", "次训练")):
        assert main([*words, "--lang", language]) == 0
        answer = capsys.readouterr()
        assert word in answer.out and answer.err.count("\n") == 3
    assert main([*words, "--json", "--repeats", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["folds"]) == 6 and found["metrics"]["r2"]["interval"][0] < found["metrics"]["r2"]["mean"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["digits", "--folds", "1"], "at least 2"),
        (["digits", "--folds", "x"], "--folds must be"),
        (["digits", "--folds", "3", "--split", "val"], "--split"),
        (["digits", "--repeats", "3"], "--repeats goes with"),
        (["digits", "--folds", "3", "--nested", "lr"], "--nested must be"),
        (["digits", "--folds", "3", "--nested", "optimizer.rl=1"], "rl"),
        (["stdlib_code", "--folds", "3", "steps=2"], "no rows"),
    ],
)
def test_refused(words, said, capsys):
    assert main(["evaluate", *words]) in (2, 3)
    assert said in capsys.readouterr().err
