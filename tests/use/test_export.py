"""Exports are read by the programs they are for, and compute what the model does; a bundle predicts where danlu cannot be imported."""

import csv
import json
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import danlu
from danlu.cli.main import main
from danlu.errors import speak
from danlu.use.export import export
from danlu.use.program import check

WITHOUT = """
import sys, runpy
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == 'danlu':
            raise ImportError('danlu is not here')
sys.meta_path.insert(0, Blocked())
sys.argv = sys.argv[1:]
sys.path.insert(0, sys.argv[0].rpartition('/')[0])
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.fixture(autouse=True)
def _english():
    torch.set_num_threads(1)
    speak("en")
    yield
    speak(None)


def trained(root, recipe, *fields):
    torch.set_num_threads(1)
    assert main(["train", recipe, *fields, "device=cpu", "--no-check", "--out", str(root / "run"), "--quiet"]) == 0
    return root


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    root, draw = tmp_path_factory.mktemp("table"), random.Random(0)
    with (root / "a.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["面积", "城市", "日期", "价格"])
        for _ in range(300):
            area, city = draw.uniform(20, 200), draw.choice(["北京", "Berlin", ""])
            rows.writerow([f"{area:.2f}" if draw.random() > 0.1 else "", city, f"2024-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}", f"{area * 3 + len(city):.1f}"])  # fmt: skip  # noqa: E501
    return trained(root, "tabular", f"data.path={root / 'a.csv'}", "data.target=价格", "steps=60")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    root, draw = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for label, low in (("dark", 0), ("light", 120)):
        (root / "data" / label).mkdir(parents=True)
        for number in range(30):
            Image.fromarray(draw.integers(low, low + 130, (10, 10, 3), dtype=np.uint8)).save(root / "data" / label / f"{number}.png")
    return trained(root, "images", f"data.path={root / 'data'}", "epochs=2", "batch_size=16")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    root, draw = tmp_path_factory.mktemp("texts"), random.Random(0)
    words = {"pos": ["good", "fine"], "neg": ["bad", "dull"]}
    lines = [
        f"{' '.join(draw.choices(['the', 'film', 'was'], k=3) + draw.choices(words[label], k=2))} {n},{label}"
        for n in range(100)
        for label in words
    ]
    (root / "a.csv").write_text("text,label\n" + "\n".join(lines), "utf-8")
    return trained(root, "classify_text", f"data.path={root / 'a.csv'}", "data.text=text", "data.target=label", "epochs=2")


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    root, draw = tmp_path_factory.mktemp("language"), random.Random(0)
    (root / "a.txt").write_text("".join(draw.choices("abcd. ", k=9000)), "utf-8")
    fields = ["data.length=16", "model.width=16", "model.depth=1", "model.heads=2", "epochs=1"]
    return trained(root, "text", f"data.path={root / 'a.txt'}", *fields)


@pytest.mark.parametrize("kind", ["table", "pictures", "texts", "language"])
@pytest.mark.parametrize("to", ["safetensors", "onnx", "torch-export"])
def test_export(kind, to, request, tmp_path, capsys):
    run = request.getfixturevalue(kind) / "run"
    out = tmp_path / "made"
    assert main(["export", str(run), "--to", to, "--out", str(out)]) == 0
    assert "largest difference" in capsys.readouterr().out
    model = danlu.load(run)
    if to == "safetensors":
        from safetensors import safe_open

        with safe_open(out, "pt") as file:
            said = json.loads(file.metadata()["danlu"])
            assert said["step"] == model.step and said["preprocess"] == model.form
        weights = danlu_tensors(out)
        assert all(torch.equal(weights[name], value) for name, value in model.module.state_dict().items() if name in weights)
        fresh = danlu.load(run)
        missing = fresh.module.load_state_dict(dict(danlu_tensors(out)), strict=False)
        assert not missing.unexpected_keys and len(weights) > 2
    assert main(["export", str(run), "--to", to, "--out", str(out)]) == 2  # never written over


def danlu_tensors(path):
    from safetensors.torch import load_file

    return load_file(path)


def test_onnx_in_another_runtime(table, tmp_path):
    """Rows as danlu prepares them, scored by onnxruntime in batches of other sizes than the export was traced with."""
    import onnxruntime

    model = danlu.load(table / "run")
    made = export(model, "onnx", tmp_path / "a.onnx")
    rows = {"面积": ["50", "", "120.5"] * 3, "城市": ["北京", "Berlin", "Paris"] * 3, "日期": ["2024-01-05", "2025-07-01", ""] * 3}
    from danlu.use.encode import encode

    inputs = encode(model.form, model.facts, rows)
    session = onnxruntime.InferenceSession(made.path)
    (scores,) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    values = scores[:, 0].astype(np.float64) * model.facts.scale + model.facts.shift
    np.testing.assert_allclose(values, model.predict(rows).values, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["table", "pictures", "texts"])
def test_bundle(kind, request, tmp_path, capsys):
    """Row by row what `danlu predict` says, in a Python that cannot import danlu."""
    root = request.getfixturevalue(kind)
    given = str(root / "data" / "dark" if kind == "pictures" else root / "a.csv")
    assert main(["export", str(root / "run"), "--to", "bundle", "--out", str(tmp_path / "bundle")]) == 0
    assert main(["predict", str(root / "run"), given, "--out", str(tmp_path / "ours.csv")]) == 0
    (root / "run").rename(root / "gone")
    try:
        command = [sys.executable, "-c", WITHOUT, str(tmp_path / "bundle" / "predict.py"), given, "--out", str(tmp_path / "theirs.csv")]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    finally:
        (root / "gone").rename(root / "run")
    assert done.returncode == 0, done.stderr
    ours, theirs = (list(csv.DictReader((tmp_path / name).open(encoding="utf-8"))) for name in ("ours.csv", "theirs.csv"))
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs):
        for name, value in mine.items():
            if name == "probability" or (name == "prediction" and kind == "table"):
                assert float(other[name]) == pytest.approx(float(value), rel=1e-4)
            else:
                assert other[name] == value


def test_refused(language, table, tmp_path, capsys):
    assert main(["export", str(language / "run"), "--to", "bundle", "--out", str(tmp_path / "b")]) == 3
    assert "language" in capsys.readouterr().err and not (tmp_path / "b").exists()
    assert main(["export", str(table / "run"), "--to", "pickle"]) == 2
    assert main(["export", str(table / "run")]) == 2


def test_a_wrong_program_is_not_kept(table, tmp_path, monkeypatch):
    """A program that computes something else leaves no file."""
    model = danlu.load(table / "run")
    monkeypatch.setattr(
        torch.export, "load", lambda path: type("Program", (), {"module": lambda self: lambda *rows: torch.zeros(len(rows[0]), 1)})()
    )
    with pytest.raises(danlu.Refused, match="differs from the model"):
        export(model, "torch-export", tmp_path / "a.pt2")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(danlu.Refused, match="shape"):
        check("onnx", lambda batch: torch.zeros(3), [{}], [torch.zeros(2)])
