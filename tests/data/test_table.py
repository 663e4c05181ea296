"""Tables against scikit-learn and scipy: rules come from train alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from danlu.data import table
from danlu.errors import BadInput

RNG = np.random.default_rng(0)
NORMAL, INCOME = RNG.normal(3, 2, 200), RNG.lognormal(2, 1, 200)
COLUMNS = {
    "normal": [*(f"{v}" for v in NORMAL[:-2]), "", "?"],
    "gap": ["" if row % 5 == 0 else f"{v}" for row, v in enumerate(NORMAL)],
    "income": [f"{v}" for v in INCOME],
    "town": ["?" if row % 9 == 0 else f"t{row % 4}" for row in range(199)] + ["new"],
}
TRAIN = torch.arange(150)


def fitted(columns=COLUMNS):
    return table.fit(columns, ["normal", "gap", "income"], ["town"], TRAIN)


def test_numbers_are_those_of_scikit_learn():
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    raw = np.array([table.numbers(name, COLUMNS[name]).numpy() for name in ("normal", "gap", "income")]).T
    raw[:, 2] = np.log1p(raw[:, 2])  # the skewed one
    oracle = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(raw[:150])
    numeric, _ = table.apply(fitted(), COLUMNS)
    assert numeric.dtype == torch.float32
    np.testing.assert_allclose(numeric[:, :3].numpy(), oracle.transform(raw), rtol=2e-5, atol=2e-6)


def test_missing_values_are_marked_where_train_has_some():
    form = fitted()
    assert [rule["mark"] for rule in form["numeric"]] == [False, True, False]
    assert [rule["log"] for rule in form["numeric"]] == [False, False, True]
    assert table.numeric_names(form) == ["normal", "gap", "income", "gap missing"]
    assert table.apply(form, COLUMNS)[0][:, 3].tolist() == [float(row % 5 == 0) for row in range(200)]


def test_categories_have_zero_for_unknown_and_missing():
    form = fitted()
    _, ids = table.apply(form, COLUMNS)
    assert form["categorical"] == [{"name": "town", "categories": ["t0", "t1", "t2", "t3"]}]
    assert table.cardinalities(form) == (5,)
    assert ids[:, 0].tolist() == [0 if row % 9 == 0 else row % 4 + 1 for row in range(199)] + [0]


def test_rules_come_from_train_alone():
    other = {name: values[:150] + values[150:][::-1] for name, values in COLUMNS.items()}
    other["normal"][160], other["town"][160] = "1e9", "elsewhere"
    assert fitted(other) == fitted()


def test_rules_are_plain_values():
    form = fitted()
    again = table.apply(json.loads(json.dumps(form, allow_nan=False)), COLUMNS)
    assert all(torch.equal(a, b) for a, b in zip(again, table.apply(form, COLUMNS)))


def test_constant_and_empty_columns_stay_finite():
    columns = {"same": ["4"] * 10, "empty": [""] * 10}
    form = table.fit(columns, list(columns), [], torch.arange(10))
    numeric, ids = table.apply(form, columns)
    assert numeric.tolist() == [[0.0, 0.0, 1.0]] * 10
    assert ids.shape == (10, 0)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=50))
def test_skewness_is_that_of_scipy(values):
    from scipy.stats import skew

    x = np.array(values)
    if x.std() > 1e-3:
        np.testing.assert_allclose(table.skewness(torch.from_numpy(x)), skew(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("value", ["12,5", "inf", "abc"])
def test_not_a_number(value):
    with pytest.raises(BadInput, match=f"column `age`, row 1: `{value}` is not a number"):
        table.numbers("age", ["3", value])


def test_read_csv(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('\ufeffa,b\n1, x y \n\n2,"p, q"\n', encoding="utf-8")
    assert table.read_csv(path) == {"a": ["1", "2"], "b": ["x y", "p, q"]}
    path.write_text("1,2\n3\n")
    with pytest.raises(BadInput, match="row 2: 1 fields, expected 2"):
        table.read_csv(path, ["a", "b"])
