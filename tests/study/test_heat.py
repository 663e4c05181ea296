"""Heat maps: what a cell says, where a path lies, and what is refused."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from danlu.errors import BadInput, Sentence
from danlu.study.figure import Axes
from danlu.study.heat import Heat, _place, heat

AXES = Axes(Sentence("Loss", "损失"), Sentence("rate", "学习率"), Sentence("decay", "衰减"))
ONE = Heat(
    Sentence("one", "一"), [0.1, 1.0], [0.0, 1.0, 10.0], [[[1.0, 2.0], [3.0, None], [5.0, 6.0]], [[3.0, 2.0], [3.0, 4.0], [5.5, 6.0]]]
)


def words(path: Path) -> list[str]:
    return ["".join(text.itertext()) for text in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def test_a_cell_says_its_mean_and_interval_and_is_empty_where_a_seed_has_no_number(tmp_path: Path) -> None:
    from scipy import stats

    en, zh = heat(tmp_path / "map", AXES, [ONE, ONE], most=4.0)
    said = words(en)
    found = stats.ttest_1samp([1.0, 3.0], 0).confidence_interval(0.95)
    assert said.count(f"±{(found.high - found.low) / 2:.1g}") == 2  # of 1 and 3, in both maps
    assert {"Loss", "one", "rate", "decay", "0.1", "10", "5.25", "2", "3"} <= set(said)
    assert "4" not in said
    assert {"损失", "一", "学习率", "衰减"} <= set(words(zh))
    assert not any(re.search("[a-z]{3}", word) for word in words(zh))
    assert [path.read_bytes() for path in heat(tmp_path / "map", AXES, [ONE, ONE], most=4.0)] == [en.read_bytes(), zh.read_bytes()]


def test_a_path_lies_on_logarithmic_axes() -> None:
    assert _place([0.0, 0.01, 0.1], 0.01) == pytest.approx(1.5)
    assert _place([0.1, 1.0, 10.0], np.sqrt(10)) == pytest.approx(2.0)


def test_one_seed_or_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="1 seed"):
        heat(tmp_path / "map", AXES, [Heat(ONE.label, ONE.x, ONE.y, ONE.values[:1])], most=4.0)
    with pytest.raises(BadInput, match="3 places and 2 values"):
        heat(tmp_path / "map", AXES, [Heat(ONE.label, ONE.x, ONE.y, [ONE.values[0], ONE.values[1][:2]])], most=4.0)
    with pytest.raises(BadInput, match="2 places and 1 value"):
        heat(tmp_path / "map", AXES, [Heat(ONE.label, ONE.x, ONE.y, [[[1.0], [2.0], [3.0]]] * 2)], most=4.0)
    assert not list(tmp_path.iterdir())
