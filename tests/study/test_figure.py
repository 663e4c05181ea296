"""One run, two languages: the same drawing, with words that are text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from danlu.errors import BadInput, Sentence
from danlu.study.figure import Axes, Curve, Theory, _band, bars, draw

AXES = Axes(Sentence("Loss <by> step & seed", "损失（按步）"), Sentence("step", "步"), Sentence("loss, $x$", "损失"), log_y=True)
X = [1.0, 2.0, 3.0, 4.0]
MEASURED = Curve(Sentence("measured", "实测"), X, [[1.0, 0.5, 0.3, 0.2], [1.2, 0.6, 0.2, 0.2], [0.9, 0.5, 0.3, 0.1]])
PREDICTED = Theory(Sentence("predicted", "预测"), X, [1.0, 0.5, 0.25, 0.125])


def words(path: Path) -> list[str]:
    return ["".join(text.itertext()) for text in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def paths(path: Path) -> int:
    return len(list(ET.parse(path).iter("{http://www.w3.org/2000/svg}path")))


def test_words_in_each_language(tmp_path: Path) -> None:
    en, zh = draw(tmp_path / "fig", AXES, [MEASURED, PREDICTED])
    assert (en.name, zh.name) == ("fig.en.svg", "fig.zh.svg")
    assert {"Loss <by> step & seed", "step", "loss, $x$", "measured", "predicted"} <= set(words(en))
    assert {"损失（按步）", "步", "损失", "实测", "预测"} <= set(words(zh))
    assert not any(re.search("[\u4e00-\u9fff]", word) for word in words(en))
    assert not any(re.search("[a-z]{3}|W", word) for word in words(zh))
    assert paths(en) == paths(zh)


def test_the_same_bytes_again(tmp_path: Path) -> None:
    once = [path.read_bytes() for path in draw(tmp_path / "fig", AXES, [MEASURED, PREDICTED])]
    assert [path.read_bytes() for path in draw(tmp_path / "fig", AXES, [MEASURED, PREDICTED])] == once


def test_a_curve_shows_its_seeds_or_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="“measured” has 1 seed"):
        draw(tmp_path / "fig", AXES, [Curve(MEASURED.label, X, MEASURED.values[:1])])
    with pytest.raises(BadInput, match="4 places and 3 values"):
        draw(tmp_path / "fig", AXES, [Curve(MEASURED.label, X, [[1.0, 2.0, 3.0]] * 2)])
    with pytest.raises(BadInput, match="1 seed"):
        bars(tmp_path / "fig", AXES, [(Sentence("one", "一"), [0.5])])
    assert not list(tmp_path.iterdir())


def test_a_band_is_the_interval_of_the_mean_and_has_gaps_where_a_seed_has_none() -> None:
    from scipy import stats

    values = np.array([[1.0, 2.0, np.nan], [2.0, 2.5, 1.0], [4.0, 1.0, 2.0]])
    middle, half = _band(values)
    found = stats.ttest_1samp(values[:, 0], 0).confidence_interval(0.95)
    assert (middle[0] - half[0], middle[0] + half[0]) == pytest.approx((found.low, found.high))
    assert np.isnan(middle[2]) and np.isnan(half[2])


def test_a_diverged_seed_is_drawn_as_a_gap(tmp_path: Path) -> None:
    broken = Curve(MEASURED.label, X, [[1.0, None, None, None], *MEASURED.values[1:]])
    assert all(path.stat().st_size > 5000 for path in draw(tmp_path / "fig", AXES, [broken]))
    nothing = Curve(MEASURED.label, X, [[None] * 4] * 2)
    draw(tmp_path / "none", Axes(AXES.title, AXES.x, AXES.y), [nothing])


def test_bars_name_their_groups(tmp_path: Path) -> None:
    axes = Axes(Sentence("Accuracy", "准确率"), Sentence("arm", "组"), Sentence("accuracy", "准确率"))
    en, zh = bars(tmp_path / "bars", axes, [(Sentence("none", "无"), [0.1, 0.2, 0.3]), (Sentence("momentum", "动量"), [0.5, 0.6, 0.7])])
    assert {"none", "momentum", "arm"} <= set(words(en))
    assert {"无", "动量", "组"} <= set(words(zh))
