"""Evaluation says what training said, what scikit-learn says, and what predict says row by row."""

import json
import math

import pytest
import torch
from sklearn import metrics as oracle

import danlu
from danlu.cli.main import main
from danlu.describe.override import override
from danlu.errors import BadInput
from danlu.use.evaluate import Evaluation, bins, confusion, evaluate
from danlu.use.prediction import Prediction

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A run on a table of one's own with Chinese names, and the table."""
    folder = tmp_path_factory.mktemp("table")
    torch.manual_seed(0)
    x = torch.randn(600, 2)
    kinds = ["红", "绿", "蓝"]
    lines = ["大小,weight,颜色,类"]
    for row, (a, b) in enumerate(x.tolist()):
        color = kinds[row % 3]
        lines.append(f"{a:.3f},{b:.3f},{color},{'甲' if a + b > 0.5 else '乙' if color != '红' else '丙'}")
    path = folder / "数据.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    recipe = override(danlu.load_recipe("tabular"), [f"data.path={path}", "data.target=类", "batch_size=32", "epochs=4"])
    result = danlu.train(recipe, folder / "run", name="tabular")
    return folder, path, result


def test_the_runs_own_test_rows_give_the_figures_that_training_gave(table):
    folder, _, result = table
    found = evaluate(danlu.load(folder / "run"))
    assert {f"test_{name}": value for name, value in found.metrics.items()} == pytest.approx(result.metrics, abs=1e-9)


def test_scikit_learn_says_the_same(table):
    folder, path, _ = table
    found = evaluate(danlu.load(folder / "run"), path)
    said, true = found.prediction.ids.numpy(), found.targets.numpy()
    assert found.rows == 600
    assert found.confusion.tolist() == oracle.confusion_matrix(true, said, labels=[0, 1, 2]).tolist()
    precision, recall, f1, support = oracle.precision_recall_fscore_support(true, said, labels=[0, 1, 2])
    for place, row in enumerate(found.classes):
        assert (row["precision"], row["recall"], row["f1"], row["rows"]) == pytest.approx(
            (precision[place], recall[place], f1[place], support[place])
        )
    assert found.metrics["accuracy"] == pytest.approx(oracle.accuracy_score(true, said))


def test_predict_equals_evaluate_row_by_row(table, tmp_path, capsys):
    folder, path, _ = table
    assert main(["predict", str(folder / "run"), str(path), "--out", str(tmp_path / "said.jsonl"), "--every-class"]) == 0
    found = evaluate(danlu.load(folder / "run"), path)
    rows = [json.loads(line) for line in (tmp_path / "said.jsonl").read_text("utf-8").splitlines()]
    assert [row["prediction"] for row in rows] == found.prediction.labels
    assert torch.allclose(torch.tensor([row["probability"] for row in rows]).double(), found.prediction.confidence, atol=1e-6)
    assert all(math.isclose(sum(row[f"probability_{name}"] for name in "甲乙丙"), 1, abs_tol=1e-9) for row in rows)
    assert rows[0]["颜色"] == "红"


def test_calibration_by_hand():
    probabilities = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55]], dtype=torch.float64)
    prediction = Prediction(probabilities, ("a", "b"), probabilities.argmax(1), probabilities)
    targets = torch.tensor([0, 1, 1, 1])
    found = Evaluation({}, 4, prediction, targets, confusion(targets, prediction.ids, 2), bins(prediction, targets, 2))
    assert found.calibration == ((4, pytest.approx(0.7375), 0.75),)
    assert found.ece == pytest.approx(0.0125)
    four = Evaluation({}, 4, prediction, targets, None, bins(prediction, targets, 4))  # ]0.5, 0.75] and ]0.75, 1]
    assert four.ece == pytest.approx((2 * abs(0.625 - 1) + 2 * abs(0.85 - 0.5)) / 4)


def test_rows_without_a_label_do_not_count():
    targets = torch.tensor([0, -100, 1])
    assert confusion(targets, torch.tensor([0, 0, 0]), 2).tolist() == [[1, 0], [1, 0]]


def test_pictures_and_json_are_written_into_a_new_folder_only(table, tmp_path, capsys):
    folder, _, result = table
    out = tmp_path / "looked"
    assert main(["evaluate", str(folder / "run"), "--out", str(out), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "evaluation.json").read_text("utf-8"))
    assert printed["metrics"]["accuracy"] == pytest.approx(result.metrics["test_accuracy"])
    assert {path.name for path in out.iterdir()} == {"evaluation.json", "confusion.png", "calibration.png"}
    assert main(["evaluate", str(folder / "run"), "--out", str(out)]) == 2
    assert "nothing is written over" in capsys.readouterr().err


def test_regression_is_in_the_unit_of_the_data(tmp_path, capsys):
    torch.manual_seed(1)
    x = torch.randn(300)
    (tmp_path / "y.csv").write_text("x,y\n" + "\n".join(f"{v},{100 + 10 * v}" for v in x.tolist()))
    recipe = override(danlu.load_recipe("tabular"), [f"data.path={tmp_path / 'y.csv'}", "data.target=y", "batch_size=32", "epochs=5"])
    danlu.train(recipe, tmp_path / "run", name="tabular")
    found = evaluate(danlu.load(tmp_path / "run"), tmp_path / "y.csv")
    assert torch.allclose(found.targets, 100 + 10 * x.double(), atol=1e-3)
    assert found.metrics["rmse"] == pytest.approx(float(((found.prediction.values - found.targets) ** 2).mean().sqrt()), rel=1e-5)
    assert found.metrics["r2"] == pytest.approx(oracle.r2_score(found.targets, found.prediction.values), abs=1e-6)
    assert main(["evaluate", str(tmp_path / "run"), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "predicted.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["data.path=no.csv"], "no.csv"),
        (["data=no.csv"], "data=no.csv"),
        (["--split", "tset"], "tset"),
        (["--split", "val", "data.path=x.csv"], "--split"),
    ],
    ids=["no file", "another word", "no split", "both"],
)
def test_wrong_words_are_named(table, capsys, words, says):
    assert main(["evaluate", str(table[0] / "run"), *words]) == 2
    assert says in capsys.readouterr().err


def test_new_data_without_the_target_are_refused(table, tmp_path):
    (tmp_path / "new.csv").write_text("大小,weight,颜色\n1,2,红\n", encoding="utf-8")
    with pytest.raises(BadInput, match="类"):
        evaluate(danlu.load(table[0] / "run"), tmp_path / "new.csv")


def test_an_unknown_label_is_named_by_its_row(table, tmp_path):
    (tmp_path / "new.csv").write_text("大小,weight,颜色,类\n1,2,红,甲\n1,2,红,丁\n", encoding="utf-8")
    with pytest.raises(BadInput, match="row 1: `丁`"):
        evaluate(danlu.load(table[0] / "run"), tmp_path / "new.csv")
