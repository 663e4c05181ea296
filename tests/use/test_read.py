"""The table of a run is its metrics.jsonl, nothing more and nothing less."""

import csv
import json

import pytest
import torch

import danlu
from danlu.cli.main import main
from danlu.errors import BadInput

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from dataclasses import replace

    out = tmp_path_factory.mktemp("read") / "run"
    danlu.train(replace(danlu.load_recipe("wine"), epochs=3), out, name="wine")
    return out


def written(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_data_frame_has_every_value(folder):
    table, lines = danlu.read(folder), written(folder)
    assert len(table) == len(lines)
    for row, line in zip(table.to_dict("records"), lines):
        assert {name: value for name, value in row.items() if value == value} == {k: v for k, v in line.items() if v is not None}


def test_csv_and_json_on_the_screen(folder, capsys):
    assert main(["read", str(folder), "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [float(row["loss"]) for row in rows if row["loss"]] == [line["loss"] for line in written(folder) if "loss" in line]
    assert main(["read", str(folder), "--json", "--metric", "val_loss"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found == [{"step": line["step"], "val_loss": line["val_loss"]} for line in written(folder) if "val_loss" in line]


def test_the_table_is_aligned(folder, capsys):
    assert main(["read", str(folder), "--metric", "loss", "--metric", "lr"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["step", "loss", "lr"]
    assert len({len(line) for line in lines}) == 1


def test_what_is_not_there_is_named(folder, tmp_path, capsys):
    assert main(["read", str(folder), "--metric", "los"]) == 2
    assert "los" in capsys.readouterr().err
    with pytest.raises(BadInput, match=r"metrics\.jsonl"):
        danlu.read(tmp_path)
