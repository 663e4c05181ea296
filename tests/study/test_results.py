"""`results.json` comes back as it was, the same bytes for the same numbers, and not if somebody touched a number."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from scipy import stats

from danlu.errors import BadInput, Sentence
from danlu.study.claims import Claim
from danlu.study.results import Measured, Results, digest, measured


def some(folder: Path) -> Results:
    (folder / "lesson.py").write_text("x = 1\n")
    values = {
        "a.loss": measured({0: 0.1, 1: 0.12, 2: 0.09, 3: 0.1, 4: 0.11}),
        "b.loss": measured({seed: 0.5 + 0.01 * seed for seed in range(5)}),
        "c.loss": measured({0: 0.1, 1: math.nan}),
        "parameters": measured(4810),
    }
    claim = Claim("lower", Sentence("a is lower", "a 更低"), "loss", "a", "b", "less", 0.1, Sentence("toy", "玩具"))
    tables = {"curve": {"x": [1, 2], "y": [[0.5, None], [0.25, 1e-9]]}, "名": "中文"}
    return Results.of("03", values, inputs=[folder / "lesson.py"], claims=[claim], tables=tables, cpu_seconds=1.5)


def test_a_measured_number() -> None:
    found = measured({7: 1.0, 2: 2.0, 5: 4.0})
    assert (found.seeds, found.values, found.n) == ((2, 5, 7), (2.0, 4.0, 1.0), 3)
    interval = stats.ttest_1samp([2.0, 4.0, 1.0], 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.deviation == pytest.approx(stats.tstd([1.0, 2.0, 4.0]))
    assert measured({3: 1.5}) == Measured((1.5,), (3,), 1.5)
    assert measured(3) == Measured((3.0,), (), 3.0)
    assert measured({0: 1.0, 1: math.inf}) == Measured((1.0, None), (0, 1))
    with pytest.raises(BadInput, match="at least one seed"):
        measured({})


def test_it_comes_back(tmp_path: Path) -> None:
    results = some(tmp_path)
    results.write(tmp_path / "results.json")
    again = Results.read(tmp_path / "results.json")
    assert again == results
    assert again.verdicts["lower"].word == "SUPPORTED" and again.verdicts["lower"].reason.zh
    before = (tmp_path / "results.json").read_bytes()
    again.write(tmp_path / "results.json")
    assert (tmp_path / "results.json").read_bytes() == before
    assert "中文" in before.decode()


def test_it_says_with_what(tmp_path: Path) -> None:
    results = some(tmp_path)
    assert {"cpu", "cores", "threads", "python", "torch", "danlu"} <= results.machine.keys()
    assert "host" not in results.machine
    assert len(results.source) == len(results.inputs) == 64
    (tmp_path / "elsewhere").mkdir()
    for name in ("lesson.py", "claims.yaml"):
        (tmp_path / name).write_text(name)
        (tmp_path / "elsewhere" / name).write_text(name)
    here = digest([tmp_path / "lesson.py", tmp_path / "claims.yaml"])
    assert digest([tmp_path / "elsewhere" / "claims.yaml", tmp_path / "elsewhere" / "lesson.py"]) == here
    (tmp_path / "claims.yaml").write_text("claims.yaml ")
    assert digest([tmp_path / "lesson.py", tmp_path / "claims.yaml"]) != here
    with pytest.raises(BadInput, match=r"nothing\.py"):
        digest([tmp_path / "nothing.py"])


def test_a_value_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    results = some(tmp_path)
    assert results.value("a.loss").n == 5
    with pytest.raises(BadInput, match=r"a\.los`.*a\.loss"):
        results.value("a.los")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("values", "a.loss", "mean"), 0.05, r"a\.loss.*edited"),
        (("values", "a.loss", "values", 0), 0.2, r"a\.loss.*edited"),
        (("values", "a.loss", "low"), None, r"a\.loss.*edited"),
        (("values", "a.loss", "seeds"), [0, 1], r"a\.loss.*edited"),
        (("values", "a.loss", "median"), 0.1, "median"),
        (("values", "a.loss", "mean"), "0.1", "mean"),
        (("verdicts", "lower", "word"), "TRUE", "SUPPORTED"),
        (("format",), 2, "format 2"),
        (("study",), None, "study"),
        (("more",), 1, "more"),
    ],
)
def test_what_write_would_not_have_written_is_an_error(tmp_path: Path, path: tuple, value: object, said: str) -> None:
    file = tmp_path / "results.json"
    some(tmp_path).write(file)
    data = json.loads(file.read_text("utf-8"))
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    file.write_text(json.dumps(data), "utf-8")
    with pytest.raises(BadInput, match=said):
        Results.read(file)


def test_tables_are_plain(tmp_path: Path) -> None:
    for table in ({"x": math.nan}, {"x": object()}):
        with pytest.raises(BadInput, match="JSON"):
            Results("03", {}, tables=table).write(tmp_path / "results.json")
    with pytest.raises(BadInput):
        Results.read(tmp_path / "missing.json")
