"""Files in, files out: every row once, in order, with its prediction; a wrong row is named by file and place."""

import csv
import json

import pytest
import torch

import danlu
from danlu.cli.main import main
from danlu.describe.override import override
from danlu.use import predict as module

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    torch.manual_seed(0)
    rows = [f"{a:.3f},{'yes' if a > 0 else 'no'}" for a in torch.randn(200).tolist()]
    (folder / "rows.csv").write_text("size,good\n" + "\n".join(rows))
    recipe = override(danlu.load_recipe("tabular"), [f"data.path={folder / 'rows.csv'}", "data.target=good", "batch_size=32", "epochs=3"])
    danlu.train(recipe, folder / "run", name="tabular")
    return folder / "run"


def wanted(run, values):
    return danlu.load(run).predict({"size": values}).labels


def test_many_pieces_are_one_prediction(run, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PIECE", 7)
    values = [round(0.01 * place - 1, 2) for place in range(200)]
    (tmp_path / "new.csv").write_text("id,size\n" + "\n".join(f"r{place},{value}" for place, value in enumerate(values)))
    assert main(["predict", str(run), str(tmp_path / "new.csv"), "--out", str(tmp_path / "said.csv")]) == 0
    with (tmp_path / "said.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "size", "prediction", "probability"]
    assert [row["id"] for row in rows] == [f"r{place}" for place in range(200)]
    assert [row["prediction"] for row in rows] == wanted(run, values)


def test_jsonl_in_and_csv_on_the_screen(run, tmp_path, capsys):
    (tmp_path / "new.jsonl").write_text('{"size": 1.5}\n\n{"size": -2}\n{"size": null}\n')
    assert main(["predict", str(run), str(tmp_path / "new.jsonl")]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["prediction"] for row in rows] == wanted(run, [1.5, -2, ""])


def test_tsv_parquet_and_several_files(run, tmp_path, capsys):
    import pandas

    frame = pandas.DataFrame({"size": [0.5, -0.5]})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "b.tsv", sep="\t", index=False)
    assert main(["predict", str(run), str(tmp_path / "a.parquet"), str(tmp_path / "b.tsv"), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["prediction"] for row in rows] == wanted(run, [0.5, -0.5]) * 2


def test_a_wrong_row_is_named_from_the_files_start_and_nothing_is_left(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "PIECE", 5)
    (tmp_path / "new.csv").write_text("size\n" + "1\n" * 12 + "tall\n")
    assert main(["predict", str(run), str(tmp_path / "new.csv"), "--out", str(tmp_path / "said.csv")]) == 2
    said = capsys.readouterr().err
    assert "new.csv" in said
    assert "row 12" in said
    assert "tall" in said
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv"}


@pytest.mark.parametrize(
    ("text", "says"),
    [("width\n1\n", "size"), ("size\n", "rows"), ("size,prediction\n1,2\n", "prediction")],
    ids=["no column", "no rows", "a column in the way"],
)
def test_what_does_not_fit_is_named(run, tmp_path, capsys, text, says):
    (tmp_path / "new.csv").write_text(text)
    assert main(["predict", str(run), str(tmp_path / "new.csv")]) == 2
    assert says in capsys.readouterr().err


def test_outputs_are_never_written_over_and_need_a_known_ending(run, tmp_path, capsys):
    (tmp_path / "new.csv").write_text("size\n1\n")
    (tmp_path / "said.csv").write_text("mine")
    assert main(["predict", str(run), str(tmp_path / "new.csv"), "--out", str(tmp_path / "said.csv")]) == 2
    assert (tmp_path / "said.csv").read_text() == "mine"
    assert main(["predict", str(run), str(tmp_path / "new.csv"), "--out", str(tmp_path / "said.xlsx")]) == 2
    assert ".jsonl" in capsys.readouterr().err


def test_a_broken_line_of_jsonl_is_named(run, tmp_path, capsys):
    (tmp_path / "new.jsonl").write_text('{"size": 1}\n{"size": \n')
    assert main(["predict", str(run), str(tmp_path / "new.jsonl")]) == 2
    assert "line 2" in capsys.readouterr().err
