"""A person's own table: kinds, hostile files, splits that never move, and encoding that is what training saw."""

import json
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from danlu.data import table, table_split
from danlu.data.adult import FILES, NAMES, URL, Adult
from danlu.data.bundled import Wine
from danlu.data.checks import check_rows
from danlu.data.find_files import dataset_folder
from danlu.data.read_table import read_table
from danlu.data.tabular import Tabular, encode, encode_target
from danlu.errors import BadInput, language

DRAW = random.Random(0)
ROWS = 400


def notes(form):
    """What was found in the table, a sentence each, in the chosen language."""
    return [note[language()] for note in form["notes"]]


def written(path, columns, encoding="utf-8", end="\n"):
    lines = [",".join(columns), *(",".join(f'"{value}"' for value in row) for row in zip(*columns.values()))]
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return str(path)


def columns(rows=ROWS):
    x = [f"{DRAW.gauss(0, 1):.4f}" for _ in range(rows)]
    return {"x": x, "town": [DRAW.choice("abc") for _ in range(rows)], "y": ["yes" if float(v) > 0 else "no" for v in x]}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_chinese_file(tmp_path, encoding):
    made = columns()
    made = {
        "特征": made["x"],
        "城市": ["北京" if v == "a" else "上海" for v in made["town"]],
        "结果": ["好" if v == "yes" else "坏" for v in made["y"]],
    }
    data = Tabular(written(tmp_path / "我的数据.csv", made, encoding, "\r\n"), "结果")()
    check_rows(data, 32)
    json.dumps(data.preprocess, allow_nan=False)
    assert data.facts.labels == ("坏", "好") and data.facts.cardinalities == (3,)
    assert len(data.train) + len(data.val) + len(data.test) == ROWS


def test_kinds_are_inferred_and_said(tmp_path):
    made = columns() | {
        "id": [str(n) for n in range(ROWS)],
        "name": [f"person {n}" for n in range(ROWS)],
        "when": [f"20{n % 20 + 10}-0{n % 9 + 1}-1{n % 10}" for n in range(ROWS)],
        "price": ["" if n % 7 == 0 else f"{DRAW.randrange(10**6, 10**7):,}" for n in range(ROWS)],
        "same": ["1"] * ROWS,
        "nothing": ["NA"] * ROWS,
    }
    data = Tabular(written(tmp_path / "t.csv", made), "y")()
    names = data.preprocess["columns"]
    assert names == ["x", "when day", "when year", "when month", "when weekday", "price", "price missing"]
    said = "\n".join(notes(data.preprocess))
    for column in ("id", "name", "same", "nothing"):
        assert f"column `{column}` is left out" in said


def test_encode_is_what_training_saw(tmp_path):
    made = columns()
    made["town"][3], made["x"][5] = "", ""
    path = written(tmp_path / "t.csv", made)
    data = Tabular(path, "y")()
    whole = encode(json.loads(json.dumps(data.preprocess)), read_table(path))
    y = encode_target(data.preprocess, read_table(path)["y"])
    rows = sorted((*map(float, n), int(c), int(t)) for n, c, t in zip(whole["numeric"], whole["category"][:, 0], y))
    kept = []
    for split in (data.train, data.val, data.test):
        inputs, targets = split.fetch(torch.arange(len(split)), 0)
        kept += [(*map(float, n), int(c), int(t)) for n, c, t in zip(inputs["numeric"], inputs["category"][:, 0], targets)]
    assert sorted(kept) == rows
    assert encode(data.preprocess, {"x": ["1"], "town": ["elsewhere"]})["category"].tolist() == [[0]]


def test_encode_of_adult(shared, monkeypatch):
    monkeypatch.setenv("DANLU_DATA", str(shared))
    data = Adult()()
    rows = encode(data.preprocess, table.read_csv(dataset_folder("adult", FILES, URL) / "adult-test.csv", NAMES))
    assert all(torch.equal(rows[key], data.test.inputs[key]) for key in ("numeric", "category"))


def test_encode_of_wine():
    from sklearn.datasets import load_wine

    data, bunch = Wine()(), load_wine()
    rows = encode(data.preprocess, {name: [repr(float(v)) for v in bunch.data[:, place]] for place, name in enumerate(bunch.feature_names)})
    found = torch.cat([split.inputs for split in (data.train, data.val, data.test)])
    assert sorted(rows.tolist()) == sorted(found.tolist())


@pytest.mark.parametrize(
    ("given", "said"),
    [({"x": ["1"]}, "`town`"), ({"x": ["1", "abc"], "town": ["a", "a"]}, "column `x`, row 1: `abc`")],
)
def test_what_cannot_be_encoded_is_named(tmp_path, given, said):
    form = Tabular(written(tmp_path / "t.csv", columns()), "y")().preprocess
    with pytest.raises(BadInput, match=said):
        encode(form, given)


@pytest.mark.parametrize(
    ("change", "fields", "said"),
    [
        ({"y": ["a"] * ROWS}, {}, "one value only"),
        ({"y": [""] * ROWS}, {}, "every value of the target"),
        ({"x": ["1"] * ROWS, "town": ["b"] * ROWS}, {}, "no column is left"),
        ({}, {"group": "nowhere"}, "no column `nowhere`"),
        ({}, {"numeric": ("town",)}, "is not a finite number"),
        ({}, {"split": "town"}, "none of train"),
    ],
)
def test_hostile(tmp_path, change, fields, said):
    path = written(tmp_path / "t.csv", columns() | change)
    with pytest.raises(BadInput, match=said):
        Tabular(path, "y", **fields)()


def test_500_columns(tmp_path):
    made = {f"c{n}": [f"{DRAW.random():.3f}" for _ in range(60)] for n in range(500)} | {"y": [str(DRAW.random()) for _ in range(60)]}
    assert Tabular(written(tmp_path / "t.csv", made), "y")().facts.shape == (500,)


def test_few_integers_are_classes_unless_said(tmp_path):
    made = columns() | {"y": [str(DRAW.randrange(3, 9)) for _ in range(ROWS)]}
    path = written(tmp_path / "t.csv", made)
    assert Tabular(path, "y")().facts.labels == ("3", "4", "5", "6", "7", "8")
    assert Tabular(path, "y", task="regress")().facts.task == "regress"


def test_given_parts_time_and_groups(tmp_path):
    made = columns() | {"part": ["train"] * 300 + ["val"] * 60 + ["test"] * 40, "t": [str(n) for n in range(ROWS)]}
    path = written(tmp_path / "t.csv", made)
    data = Tabular(path, "y", split="part", ignore=("t",))()
    assert [len(rows) for rows in (data.train, data.val, data.test)] == [300, 60, 40]
    data = Tabular(path, "y", time="t", ignore=("part",))()
    assert [len(rows) for rows in (data.train, data.val, data.test)] == [320, 40, 40]
    data = Tabular(path, "y", val_path=path, test_path=path)()
    assert len(data.train) == len(data.val) == len(data.test) == ROWS


ROW = st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 50).map(str))


@given(st.lists(ROW, min_size=2, max_size=60), st.randoms(use_true_random=False))
def test_no_row_moves(rows, draw):
    def parts(rows):
        hashes = table_split.row_hashes({"a": [a for a, _ in rows], "b": [b for _, b in rows]}, ["b", "a"])
        return dict(zip(rows, table_split.by_hash(hashes).tolist()))

    whole = parts(rows)
    fewer = draw.sample(rows, len(rows) - 1)
    assert parts(fewer) == {row: whole[row] for row in fewer}


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 3)), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_rare_classes_have_every_part_in_any_order(rows, draw):
    def parts(rows):
        hashes, classes = np.array([h for h, _ in rows], np.uint64), np.array([c for _, c in rows])
        return table_split.with_rare_classes(table_split.by_hash(hashes), hashes, classes).tolist()

    found, mixed = parts(rows), draw.sample(range(len(rows)), len(rows))
    assert [found[place] for place in mixed] == parts([rows[place] for place in mixed])
    for label in range(4):
        if len({h for h, c in rows if c == label}) >= 3:
            assert {part for part, (_, c) in zip(found, rows) if c == label} == {0, 1, 2}


def test_rules_come_from_train_alone(tmp_path):
    made = columns() | {"part": ["train"] * 300 + ["val"] * 60 + ["test"] * 40}
    forms = []
    for value in ("1", "1000000"):
        made["x"][350] = value
        forms.append(Tabular(written(tmp_path / "t.csv", made), "y", split="part")().preprocess)
    assert forms[0] == forms[1]


@pytest.mark.slow
def test_memory_is_far_below_the_size_of_the_file(tmp_path):
    import psutil

    line = ",".join(["{:.9f}"] * 12) + ",{}\n"
    with (tmp_path / "big.csv").open("w") as file:
        file.write(",".join(f"c{n}" for n in range(12)) + ",y\n")
        for _ in range(400_000):
            file.write(line.format(*(DRAW.random() for _ in range(12)), DRAW.choice("ab")))
    before = psutil.Process().memory_info().rss
    Tabular(str(tmp_path / "big.csv"), "y")()
    assert psutil.Process().memory_info().rss - before < (tmp_path / "big.csv").stat().st_size
