"""Lines of JSON: every line parses whatever happened, nothing is lost or written twice, and a NaN has a name."""

from __future__ import annotations

import json
import math

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from danlu.run.log import Events, Log, columns, read


def test_tensors_are_read_at_the_flush(tmp_path):
    log = Log(tmp_path / "m.jsonl")
    log.add(
        step=1,
        loss=torch.tensor(0.1),
        exact=torch.tensor(0.1, dtype=torch.float64),
        rows=torch.tensor(3),
        half=torch.tensor(0.5).bfloat16(),
    )
    log.add(step=2, loss=0.25, vector=torch.arange(3), note="x", flag=True)
    assert read(tmp_path / "m.jsonl") == []
    log.close()
    assert read(tmp_path / "m.jsonl") == [
        {"step": 1, "loss": 0.100000001, "exact": 0.1, "rows": 3, "half": 0.5},
        {"step": 2, "loss": 0.25, "vector": [0, 1, 2], "note": "x", "flag": True},
    ]


def test_nine_digits_are_the_same_float32(tmp_path):
    values = torch.randn(200, generator=torch.Generator().manual_seed(0)) * 10.0 ** torch.arange(-20, 20).repeat(5)
    log = Log(tmp_path / "m.jsonl")
    for value in values:
        log.add(loss=value)
    log.close()
    assert torch.equal(torch.tensor([line["loss"] for line in read(tmp_path / "m.jsonl")]), values)


def test_what_is_not_finite_is_null_and_named(tmp_path):
    log = Log(tmp_path / "m.jsonl")
    log.add(step=1, loss=torch.tensor(math.nan), lr=0.1, terms={"a": math.inf, "b": 1.0}, undefined=None)
    log.close()
    text = (tmp_path / "m.jsonl").read_text()
    assert "NaN" not in text and "Infinity" not in text
    assert json.loads(text) == {
        "step": 1,
        "loss": None,
        "lr": 0.1,
        "terms": {"a": None, "b": 1.0},
        "undefined": None,
        "nonfinite": ["loss", "terms.a"],
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_torn_end_is_repaired_and_later_steps_are_dropped(tmp_path, data):
    path = tmp_path / "m.jsonl"
    path.unlink(missing_ok=True)
    log = Log(path)
    for step in range(10):
        log.add(step=step, note="é" * step)
    log.close()
    whole = path.read_bytes()
    cut, resumed = data.draw(st.integers(0, len(whole))), data.draw(st.integers(-1, 10))
    path.write_bytes(whole[:cut])
    lines = whole[:cut].count(b"\n")
    log = Log(path, keep=lambda line: line["step"] <= resumed)
    log.add(step=99)
    log.close()
    assert [line["step"] for line in read(path)] == [*range(min(lines, resumed + 1)), 99]
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_rubbish_in_the_middle_is_taken_out(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"step": 1}\n\xff\xfe{\n[1]\n\n{"step": 2}\n')
    assert [line["step"] for line in read(path)] == [1, 2]
    Log(path).close()
    assert path.read_bytes() == b'{"step": 1}\n{"step": 2}\n'


def test_events_are_there_at_once(tmp_path):
    events = Events(tmp_path / "e.jsonl")
    events.tell("checkpoint", 5, best=True)
    line = read(tmp_path / "e.jsonl")[0]
    assert (line["event"], line["step"], line["best"]) == ("checkpoint", 5, True)
    events.close()


def test_columns():
    found = columns([{"step": 1, "loss": 2.0, "note": "x"}, {"step": 3, "loss": None, "val_loss": 1}])
    assert found["val_loss"] == ([3], [1]) and set(found) == {"loss", "val_loss"}
    assert found["loss"][0] == [1, 3] and math.isnan(found["loss"][1][1])
