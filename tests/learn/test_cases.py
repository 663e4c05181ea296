"""The worked cases: written as lessons are, and their results are those of the code beside them."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from danlu.errors import BadInput
from danlu.learn import case, page

FOLDERS = case.folders()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_nothing_is_wrong_with_a_case(folder):
    found = case.read(folder)
    assert [str(problem) for problem in case.problems(found)] == []
    assert found.results.tables["lesson"]["seeds"] >= 3
    assert found.results.cpu_seconds <= 1800
    for language in ("en", "zh"):
        assert len(page.markdown(found, language)) > 5000


def test_what_is_wrong_is_said(tmp_path):
    folder = tmp_path / "fashion_mnist"
    shutil.copytree(FOLDERS[0], folder)
    (folder / "text.en.md").write_text((folder / "text.en.md").read_text("utf-8") + "\nIt gained 12 % here.\n", "utf-8")
    (folder / "measure.py").write_text((folder / "measure.py").read_text("utf-8").replace("STEPS, BATCH", "STEPS, BATCH "), "utf-8")
    said = "\n".join(str(problem) for problem in case.problems(case.read(folder)))
    assert "`12 %`" in said
    assert "does not go with the English" in said  # the Chinese has not been looked at since
    assert "changed since results.json" in said


def test_a_blank_value_stops_its_page():
    found = case.read(FOLDERS[0])
    values = {**found.results.values, "cycle.val_accuracy": replace(found.results.value("cycle.val_accuracy"), mean=None)}
    object.__setattr__(found, "results", replace(found.results, values=values))
    with pytest.raises(BadInput, match=r"cycle\.val_accuracy"):
        page.markdown(found, "en")
