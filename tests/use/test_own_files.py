"""From own images, own texts and own text to predictions on new files, by commands alone; predict equals evaluate, row by row."""

import csv
import json
import random

import numpy as np
import pytest
import torch
from PIL import Image

import danlu
from danlu.cli.main import main


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Red and blue squares in folders with Chinese names, and a run that was trained on them."""
    torch.set_num_threads(1)
    root, draw = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for split, count in (("data", 40), ("new", 6)):
        for label, colour in (("红", 0), ("蓝", 2)):
            folder = root / split / label
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = draw.integers(0, 120, (9, 12, 3), dtype=np.uint8)
                pixels[..., colour] = draw.integers(140, 255, (9, 12))
                Image.fromarray(pixels).save(folder / f"{number}.png")
    words = [f"data.path={root / 'data'}", "epochs=4", "batch_size=16", "device=cpu"]
    assert main(["train", "images", *words, "--no-check", "--out", str(root / "run"), "--quiet"]) == 0
    return root


def test_images(pictures, capsys):
    run, new = str(pictures / "run"), pictures / "new"
    capsys.readouterr()
    assert main(["evaluate", run, f"data.path={new}", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert main(["predict", run, str(new / "红"), str(new / "蓝"), "--out", str(pictures / "said.csv")]) == 0
    said = list(csv.DictReader((pictures / "said.csv").open(encoding="utf-8")))
    right = [row["prediction"] == ("红" if "/红/" in row["input"] else "蓝") for row in said]
    assert len(said) == 12 and measured["metrics"]["accuracy"] == pytest.approx(np.mean(right)) and np.mean(right) > 0.9
    model = danlu.load(run)
    path = said[0]["input"]
    raw = Image.open(path)
    for form in (path, raw, np.asarray(raw)):
        one = model.predict([form])
        assert one.labels == [said[0]["prediction"]] and float(one.confidence[0]) == pytest.approx(float(said[0]["probability"]), abs=1e-6)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    torch.set_num_threads(1)
    root, draw = tmp_path_factory.mktemp("reviews"), random.Random(0)
    words = {"好": ["很好", "喜欢", "精彩"], "差": ["无聊", "糟糕", "失望"]}
    for name, count in (("评论.csv", 150), ("新.csv", 10)):
        rows = [("".join(draw.choices(["电影", "演员", "故事"], k=4) + draw.choices(words[label], k=2)) + f"第{n}", label)
                for n in range(count) for label in words]  # fmt: skip
        with (root / name).open("w", encoding="gb18030" if name == "评论.csv" else "utf-8-sig", newline="") as file:
            csv.writer(file).writerows([("评价", "标签"), *rows])
    fields = [f"data.path={root / '评论.csv'}", "data.text=评价", "data.target=标签", "epochs=6", "device=cpu"]
    assert main(["train", "classify-text", *fields, "--no-check", "--out", str(root / "run"), "--quiet"]) == 0
    return root


def test_texts(reviews, capsys):
    run, new = str(reviews / "run"), str(reviews / "新.csv")
    capsys.readouterr()
    assert main(["evaluate", run, f"data.path={new}", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert main(["predict", run, new, "--out", str(reviews / "said.csv")]) == 0
    said = list(csv.DictReader((reviews / "said.csv").open(encoding="utf-8")))
    right = np.mean([row["prediction"] == row["标签"] for row in said])
    assert len(said) == 20 and measured["metrics"]["accuracy"] == pytest.approx(right) and right > 0.9
    one = danlu.load(run).predict(said[3]["评价"])
    assert one.labels == [said[3]["prediction"]] and float(one.confidence[0]) == pytest.approx(float(said[3]["probability"]), abs=1e-6)
    capsys.readouterr()
    assert main(["predict", run, said[3]["评价"]]) == 0
    assert said[3]["prediction"] in capsys.readouterr().out


def test_text_goes_on(tmp_path, capsys):
    torch.set_num_threads(1)
    draw = random.Random(0)
    (tmp_path / "a.txt").write_text("".join(draw.choices("abcd", k=1)[0] * 3 + " " for _ in range(4000)), "utf-8")
    fields = [f"data.path={tmp_path}/*.txt", "data.length=32", "model.width=32", "model.depth=1", "model.heads=2", "epochs=2", "device=cpu"]
    assert main(["train", "text", *fields, "--no-check", "--out", str(tmp_path / "run"), "--quiet"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run"), f"data.path={tmp_path / 'a.txt'}", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)["metrics"]
    assert measured["bits_per_byte"] == pytest.approx(measured["loss"] / np.log(2), rel=1e-6)  # a byte a character here
    assert measured["bits_per_byte"] < 2  # less than a letter of four drawn anew at each place
    (tmp_path / "b.txt").write_text("ab", "utf-8")
    assert main(["evaluate", str(tmp_path / "run"), f"data.path={tmp_path / 'b.txt'}"]) == 2
    capsys.readouterr()
    assert main(["sample", str(tmp_path / "run"), "--prompt", "aaa "]) == 0
    assert set(capsys.readouterr().out) <= set("abcd \n")
