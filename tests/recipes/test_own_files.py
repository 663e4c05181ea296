"""`images`, `classify-text` and `text`: each says what it waits for, and trains from the command line on a person's own files."""

import json
import random

import numpy as np
import pytest
import torch

from danlu.cli.main import main


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.setenv("DANLU_LANG", "en")


def trained(capsys, folder, *words):
    assert main(["train", *words, "device=cpu", "--no-check", "--out", str(folder), "--json", "--quiet"]) == 0
    return json.loads(capsys.readouterr().out)["test"]


@pytest.mark.parametrize("name", ["images", "classify_text", "text"])
def test_without_files(capsys, name):
    assert main(["train", name]) == 2
    assert f"danlu train {name.replace('_', '-')} data.path=" in capsys.readouterr().err


def test_images(tmp_path, capsys):
    Image = pytest.importorskip("PIL.Image")
    for label, mean in (("亮", 180), ("暗", 80)):
        for row in range(60):
            draw = np.random.default_rng((mean, row))
            (tmp_path / "图" / label).mkdir(parents=True, exist_ok=True)
            pixels = draw.normal(mean, 30, (20, 20, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "图" / label / f"{row}.jpg")
    figures = trained(capsys, tmp_path / "run", "images", f"data.path={tmp_path / '图'}", "epochs=3", "batch_size=16")
    assert figures["test_accuracy"] > 0.9


def test_classify_text(tmp_path, capsys):
    draw = random.Random(0)
    words = {"pos": ["good", "great", "lovely"], "neg": ["bad", "awful", "boring"]}
    both = ["the", "film", "was", "and", "with", "a", "story", "of"]
    rows = [
        (" ".join(draw.choices(both, k=4) + draw.choices(words[label], k=2) + [f"w{row}"]), label)
        for row, label in enumerate(["pos", "neg"] * 150)
    ]
    (tmp_path / "a.csv").write_text("review,label\n" + "\n".join(map(",".join, rows)), "utf-8")
    fields = [f"data.path={tmp_path / 'a.csv'}", "data.text=review", "data.target=label", "epochs=6"]
    assert trained(capsys, tmp_path / "run", "classify_text", *fields)["test_accuracy"] > 0.9


def test_text(tmp_path, capsys):
    draw = random.Random(0)
    words = ["the", "cat", "sat", "on", "a", "mat", "and", "ate", "its", "food"]
    lines = [" ".join(draw.choices(words, k=8)) + f" {draw.random():.3f}.\n" for _ in range(500)]
    (tmp_path / "a.txt").write_text("".join(lines), "utf-8")
    fields = [f"data.path={tmp_path}/*.txt", "data.length=32", "model.width=32", "model.depth=1", "model.heads=2", "epochs=2"]
    assert trained(capsys, tmp_path / "run", "text", *fields)["test_loss"] < 2.5
