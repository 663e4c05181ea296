"""`danlu hessian` on a run: figures, pictures, and what is wrong with a question."""

from __future__ import annotations

import json

import pytest

from danlu.cli.main import main


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "wine"
    assert main(["train", "wine", "steps=4", "epochs=null", "--no-check", "--quiet", "--out", str(folder)]) == 0
    return str(folder)


def test_all_of_it_with_pictures(run, tmp_path, capsys):
    out = tmp_path / "looked"
    few = ["--rows", "40", "--count", "2", "--steps", "30", "--draws", "4", "--points", "3", "--radius", "0.1"]
    assert main(["hessian", run, *few, "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((out / "hessian.json").read_text(encoding="utf-8"))
    assert found["rows"] == 40 and len(found["top"]["values"]) == 2 and found["top"]["values"][0] > found["top"]["lowest"]
    assert found["surface"]["losses"][1][1] == pytest.approx(found["loss"])
    rises = {one["radius"]: one for one in found["sharpness"]}
    assert rises[0.1]["worst"] >= rises[0.1]["ahead"] > rises[0.1]["mean"] and list(rises) == sorted(rises)
    assert sum(found["trace"]["blocks"].values()) == pytest.approx(found["trace"]["mean"], rel=1e-4)
    names = {"spectrum.png", "trace.png", "trace_of_parameters.png", "sharpness.png", "surface.png"}
    assert {path.name for path in out.iterdir()} == names | {"hessian.json"} and all((out / name).stat().st_size > 5000 for name in names)


def test_one_look_in_words(run, capsys):
    assert main(["hessian", run, "trace", "--rows", "20", "--draws", "2", "--split", "val", "--lang", "zh"]) == 0
    said = capsys.readouterr().out
    assert "迹" in said and "val 的" in said and "特征值" not in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tops"], "`tops`"),
        (["trace", "--count", "3"], "--count is for `top`"),
        (["--rows", "0"], "a whole number of at least 1"),
        (["--radius", "-1"], "a number above 0"),
        (["--split", "all"], "all"),
        (["--out", "."], "."),
    ],
)
def test_a_wrong_question_is_answered_with_a_sentence(run, words, sentence, capsys):
    assert main(["hessian", run, *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_that_holds_no_run(tmp_path, capsys):
    assert main(["hessian", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
