"""A trained model out of its folder alone says what training measured."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import danlu
from danlu.describe.override import override
from danlu.errors import BadInput, Refused
from danlu.run import checkpoint
from danlu.use.encode import columns_of
from danlu.use.reference import refer

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    """A finished run of wine with an average of the weights, and its data."""
    out = tmp_path_factory.mktemp("runs") / "wine"
    from dataclasses import replace

    from danlu.techniques.update.ema import EMA

    recipe = replace(danlu.load_recipe("wine"), epochs=6, techniques=(EMA(decay=0.9),))
    result = danlu.train(recipe, out, name="wine")
    return out, recipe.data(), result


def asked(name, settings):
    return override(danlu.load_recipe(name), settings)


def raw(data, rows):
    """Rows as a person would have them: undone normalisation, by column."""
    form = data.preprocess
    x = rows.inputs.double() * torch.tensor(form["std"], dtype=torch.float64) + torch.tensor(form["mean"], dtype=torch.float64)
    return {name: x[:, place].tolist() for place, name in enumerate(form["columns"])}


def test_the_finished_run_is_what_was_tested(wine):
    out, data, result = wine
    trained = danlu.load(out)
    right = (trained.predict_rows(data.test.inputs).ids == data.test.targets).double().mean()
    assert float(right) == pytest.approx(result.metrics["test_accuracy"], abs=1e-12)
    assert trained.weights == "ema"
    assert trained.step == result.best_step
    assert not trained.module.training


def test_raw_columns_rows_frames_and_files_give_the_same(wine, tmp_path):
    import pandas

    out, data, _ = wine
    trained = danlu.load(out)
    columns = raw(data, data.test)
    expected = trained.predict_rows(data.test.inputs).probabilities
    frame = pandas.DataFrame(columns)
    frame.to_csv(tmp_path / "new.csv", index=False)
    rows = frame.to_dict("records")
    for given in (columns, frame, rows, frame.to_numpy(), str(tmp_path / "new.csv")):
        torch.testing.assert_close(trained.predict(given).probabilities, expected, atol=1e-6, rtol=0)
    one = trained.predict(rows[0])
    assert len(one) == 1
    assert one.labels[0] in trained.labels


def test_any_size_of_batches_gives_the_same_classes(wine):
    out, data, _ = wine
    trained = danlu.load(out)
    whole, single = (trained.predict_rows(data.test.inputs, size) for size in (1000, 1))
    torch.testing.assert_close(whole.probabilities, single.probabilities, atol=1e-6, rtol=0)


def test_a_checkpoint_is_loaded_with_the_average_it_was_measured_with(wine):
    out, _data, _ = wine
    for mark in ("best", "latest"):
        path = checkpoint.named(out / "checkpoints", mark)
        trained = danlu.load(f"{out}@{mark}")
        state = checkpoint.read(path)
        own = dict(trained.module.named_parameters())
        average = state["techniques"]["ema.0"]["average"]
        assert trained.step == state["step"]
        assert all(torch.equal(own[name], average[name]) for name in own)
        assert any(not torch.equal(own[name], state["model"][name]) for name in own)


def test_loads_in_a_new_process_without_the_data(wine, tmp_path):
    out, data, _ = wine
    moved = tmp_path / "elsewhere"
    shutil.copytree(out, moved)
    expected = danlu.load(out).predict(raw(data, data.test)).labels
    (tmp_path / "rows.json").write_text(json.dumps(raw(data, data.test)))
    code = (
        "import json, sys, danlu, danlu.data.bundled as b\n"
        "b.Wine.__call__ = None\n"  # no data to be had
        "print(json.dumps(danlu.load(sys.argv[1]).predict(json.load(open(sys.argv[2]))).labels))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, moved, tmp_path / "rows.json"], capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(ran.stdout) == expected


def test_a_model_of_ones_own_file_comes_from_the_kept_copy(tmp_path):
    net = tmp_path / "net.py"
    net.write_text(
        "from torch import nn\n\ndef Net(in_features, num_classes):\n    return nn.Linear(in_features, num_classes)\n", encoding="utf-8"
    )
    recipe = asked("wine", [f"model={net}:Net", "epochs=2"])
    result = danlu.train(recipe, tmp_path / "run", name="own")
    net.unlink()
    trained, data = danlu.load(tmp_path / "run"), recipe.data()
    right = (trained.predict_rows(data.test.inputs).ids == data.test.targets).double().mean()
    assert float(right) == pytest.approx(result.metrics["test_accuracy"], abs=1e-12)


def test_a_record_that_names_a_file_elsewhere_runs_nothing(tmp_path):
    """Of the kept copies the last one is used, and only one that is in the folder."""
    from danlu.use.load import _with_kept_sources

    run, own = tmp_path / "run", "/gone/net.py"
    (run / "sources").mkdir(parents=True)
    (run / "recipe.json").write_text(json.dumps({"model": f"{own}:Net", "data": {f"{own}:rows": {"a": [f"{own}:x", own, 1]}}}))

    def kept(*names):
        attempts = [{"sources": [{"path": own, "sha256": "0", "kept": name}]} for name in names]
        (run / "record.json").write_text(json.dumps({"attempts": [{}, *attempts]}))
        return _with_kept_sources(run)

    there = str((run / "sources" / "net-2.py").resolve())
    assert kept("sources/net-1.py", "sources/net-2.py") == {
        "model": f"{there}:Net",
        "data": {f"{there}:rows": {"a": [f"{there}:x", own, 1]}},
    }
    for name in ("../evil.py", "sources/../../evil.py", "/evil.py", "evil.py", "", None, 5):
        with pytest.raises(BadInput, match=r"record\.json"):
            kept(name)


def test_regression_speaks_the_unit_of_the_data(tmp_path):
    from sklearn.linear_model import LinearRegression

    torch.manual_seed(0)
    x = torch.randn(400, 2).double()
    y = 1000 + 50 * x[:, 0] - 20 * x[:, 1]
    lines = ["a,b,price", *(f"{float(p)!r},{float(q)!r},{float(r)!r}" for (p, q), r in zip(x, y))]
    (tmp_path / "prices.csv").write_text("\n".join(lines))
    recipe = asked("tabular", [f"data.path={tmp_path / 'prices.csv'}", "data.target=price", "steps=300", "device=cpu"])
    danlu.train(recipe, tmp_path / "run", name="tabular")
    predicted = danlu.load(tmp_path / "run").predict({"a": x[:, 0].tolist(), "b": x[:, 1].tolist()})
    best = LinearRegression().fit(x.numpy(), y.numpy()).predict(x.numpy())
    assert predicted.labels == []
    assert np.corrcoef(predicted.values.numpy(), best)[0, 1] > 0.98
    assert abs(float(predicted.values.mean()) - 1000) < 20


@pytest.mark.parametrize(
    ("mark", "says"), [("newest", "@newest"), ("step-7", "step-7"), ("BEST", "@BEST")], ids=["unknown", "not kept", "capital"]
)
def test_a_wrong_mark_is_named_with_what_is_there(wine, mark, says):
    out, _, _ = wine
    with pytest.raises(BadInput, match=says) as found:
        refer(f"{out}@{mark}")
    assert "best, latest, step-" in str(found.value)


def test_a_folder_whose_name_holds_an_at_sign(wine, tmp_path):
    moved = tmp_path / "a@b"
    shutil.copytree(wine[0], moved)
    assert refer(moved).folder == moved
    assert refer(f"{moved}@best").checkpoint.name.startswith("step-")


def test_changed_or_missing_files_are_named(wine, tmp_path):
    for place, (file, damage) in enumerate({"model.safetensors": "flip", "preprocess.json": "gone"}.items()):
        moved = tmp_path / str(place)
        shutil.copytree(wine[0], moved)
        path = moved / file
        if damage == "gone":
            path.unlink()
        else:
            content = bytearray(path.read_bytes())
            content[-1] ^= 1
            path.write_bytes(content)
        with pytest.raises(BadInput, match=file):
            danlu.load(moved)
    with pytest.raises(BadInput, match=r"recipe\.json"):
        danlu.load(tmp_path)


def test_a_missing_column_and_a_nameless_row_are_refused(wine):
    out, data, _ = wine
    columns = raw(data, data.test)
    gone = next(iter(columns))
    del columns[gone]
    with pytest.raises(BadInput, match=gone):
        danlu.load(out).predict(columns)
    with pytest.raises(BadInput, match=gone):
        danlu.load(out).predict([[1.0, 2.0]])


def test_a_resumed_run_keeps_its_preprocess(wine, tmp_path):
    moved = tmp_path / "again"
    shutil.copytree(wine[0], moved)
    before = (moved / "preprocess.json").read_bytes()
    danlu.train(danlu.load_recipe(str(moved / "recipe.json")), moved, name="wine")
    assert (moved / "preprocess.json").read_bytes() == before


def test_a_language_model_predicts_no_row(monkeypatch):
    from danlu.data.source import Facts
    from danlu.use.load import Trained

    recipe = asked("tinyshakespeare", ["model.depth=1", "model.width=16", "model.heads=2"])
    trained = Trained(Path(), recipe, {"kind": "text"}, Facts("language", (8,), 11, vocab=11))
    with pytest.raises(Refused, match="danlu sample"):
        trained.predict("To be")


def test_values_become_text_as_a_file_would_hold_them():
    form = {"kind": "numbers", "columns": ["a", "b"]}
    assert columns_of(form, {"a": 1, "b": float("nan")}) == {"a": ["1"], "b": [""]}
    assert columns_of(form, np.array([[1.5, 2.0]])) == {"a": ["1.5"], "b": ["2.0"]}
    assert columns_of(form, [{"a": " x "}, {"b": None, "a": True}]) == {"a": ["x", "True"]} | {"b": ["", ""]}
