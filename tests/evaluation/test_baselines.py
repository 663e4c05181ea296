"""Baselines against scikit-learn called by hand and closed forms; what is better is told from what is not."""

import csv
import json
import random

import numpy as np
import pytest
import torch

import danlu
from danlu.cli.main import main
from danlu.data.text import language_data
from danlu.evaluation.baselines import baselines
from danlu.evaluation.intervals import row_figures
from danlu.nets.gpt import GPT
from danlu.nets.mlp import MLP


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def made(data, model=None, **fields):
    run = danlu.Run(danlu.Recipe(model=model or MLP(hidden=(16,)), data=data, batch_size=50, device="cpu", **{"epochs": 4, **fields}))
    for _ in run:
        pass
    return run


def beside(run):
    rows = run.data.test or run.data.val
    return {one.name: one for one in baselines(run, run.data.train, rows, row_figures(run, rows), 0)}


def test_classes():
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    draw = torch.Generator().manual_seed(0)
    x = torch.randn(500, 4, generator=draw)
    y = ((x[:, 0] * x[:, 1] > 0).long() + (x[:, 2] > 1).long()).clamp(max=2)
    run = made(((x[:350], y[:350]), (x[350:], y[350:])), epochs=60, optimizer=danlu.optim.AdamW(lr=2e-2))
    found = beside(run)
    assert list(found) == ["majority", "linear", "boosting"]
    assert found["majority"].figures["accuracy"] == pytest.approx(float((y[350:] == y[:350].mode().values).float().mean()))
    scaler = StandardScaler().fit(x[:350])
    linear = LogisticRegression(max_iter=200).fit(scaler.transform(x[:350]), y[:350]).score(scaler.transform(x[350:]), y[350:])
    boosted = HistGradientBoostingClassifier(random_state=0).fit(x[:350].numpy(), y[:350]).score(x[350:].numpy(), y[350:])
    assert found["linear"].figures["accuracy"] == pytest.approx(linear)
    assert found["boosting"].figures["accuracy"] == pytest.approx(boosted)
    low, high = found["majority"].better["accuracy"]  # what a product decides, no line finds
    assert 0 < low < high


def test_regression_in_the_unit_of_the_data():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(300, 3, generator=draw)
    y = 5 + x[:, 0]
    found = beside(made(((x[:200], y[:200]), (x[200:], y[200:])), epochs=2))
    assert found["mean"].figures["rmse"] == pytest.approx(float((y[200:] - y[:200].mean()).square().mean().sqrt()), rel=1e-5)
    assert found["linear"].figures["r2"] > 0.999
    low, high = found["linear"].better["rmse"]
    assert 0 < low < high  # the net's error is larger


def test_counts_of_tokens():
    text = "abababababac" * 60
    data = language_data("toy", {"train": [text], "val": [text]}, "characters", 10, 12, 0)
    found = beside(made(data, GPT(width=8, depth=1, heads=1), epochs=None, steps=3))
    counts = {letter: text.count(letter) for letter in "abc"}
    share = np.array([1, *(counts[letter] + 1 for letter in "abc")]) / (len(text) + 4)
    assert found["unigram"].figures["loss"] == pytest.approx(
        -sum(counts[c] / len(text) * np.log(share[1 + i]) for i, c in enumerate("abc")), rel=2e-3
    )
    # after a: b five times of six, c once; after b and c always a, but for what the back-off keeps for others
    best = -(5 / 6 * np.log(5 / 6) + 1 / 6 * np.log(1 / 6)) / 2
    assert best < found["bigram"].figures["loss"] < best + 0.02


def test_by_command(tmp_path, capsys):
    draw = random.Random(0)
    with (tmp_path / "a.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["x", "colour", "y"])
        for _ in range(400):
            x, colour = draw.random(), draw.choice(["red", "blue", "green"])
            rows.writerow([x, colour, "yes" if (x > 0.5) == (colour == "red") else "no"])
    fields = [f"data.path={tmp_path / 'a.csv'}", "data.target=y", "steps=300", "device=cpu"]
    assert main(["train", "tabular", *fields, "--no-check", "--out", str(tmp_path / "run"), "--quiet"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run"), "--baselines", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    low, high = found["intervals"]["accuracy"]
    assert low <= found["metrics"]["accuracy"] <= high
    assert [one["name"] for one in found["baselines"]] == ["majority", "linear", "boosting"]
    assert found["baselines"][0]["net_minus_baseline"]["accuracy"][0] > 0
    for language, word in (("en", "gradient boosting"), ("zh", "梯度提升树")):
        assert main(["evaluate", str(tmp_path / "run"), "--baselines", "--lang", language]) == 0
        assert word in capsys.readouterr().out
