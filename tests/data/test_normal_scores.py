"""Numbers of a table by their place: against scikit-learn's quantile transformer, and what must hold of any column."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import QuantileTransformer

from danlu.data.table_form import KNOTS, encode, fit_numeric, normal_scores

NUMBERS = st.floats(-1e12, 1e12) | st.integers(-3, 3).map(float)


def test_is_what_scikit_learn_makes():
    x = np.random.default_rng(0).lognormal(0, 2, 5000)
    knots, scores = normal_scores(x)
    theirs = QuantileTransformer(n_quantiles=KNOTS, output_distribution="normal", subsample=None).fit_transform(x[:, None])[:, 0]
    middle = np.abs(theirs) < 2  # between two knots theirs interpolates places, ours scores: that differs where knots are far apart
    ours = np.interp(x, knots, scores)
    slope, shift = np.polyfit(theirs[middle], ours[middle], 1)
    np.testing.assert_allclose(ours[middle], slope * theirs[middle] + shift, atol=2e-3)
    assert abs(slope - 1) < 0.05


def test_ties_have_the_middle_of_their_places():
    knots, scores = normal_scores(np.array([0.0, 0.0, 0.0, 1.0, 5.0]))
    assert knots.tolist() == [0.0, 1.0, 5.0]
    assert scores[0] < scores[1] < scores[2] and abs(3 * scores[0] + scores[1] + scores[2]) < 1e-12


@given(st.lists(NUMBERS | st.just(float("nan")), min_size=1, max_size=60), st.lists(NUMBERS, min_size=1, max_size=9))
def test_any_column(values, others):
    """Finite, in the order of the numbers, mean 0 and deviation 1 over the train rows; outliers elsewhere stay within those of train."""
    x = np.array(values)
    rule = fit_numeric("a", x)
    if rule is None:
        assert np.isnan(x).all() or len(set(values)) == 1
        return
    form = {"kind": "table", "numeric": [rule], "categorical": []}
    made = encode(form, {"a": ["" if v != v else repr(v) for v in values]})["numeric"][:, 0].double().numpy()
    assert np.isfinite(made).all() and abs(made.mean()) < 1e-5
    assert abs(made.std() - 1) < 1e-4 or made.std() == 0
    filled = np.where(np.isnan(x), rule["median"], x)
    assert (np.diff(made[np.argsort(filled, kind="stable")]) >= 0).all()
    new = encode(form, {"a": [repr(v) for v in others]})["numeric"][:, 0].double().numpy()
    assert (new >= made.min() - 1e-6).all() and (new <= made.max() + 1e-6).all()
