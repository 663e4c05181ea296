"""A page, in both languages, and the notebook made of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from danlu.errors import BadInput
from danlu.learn import lesson, notebook, page
from danlu.learn.lesson import LANGUAGES, Lesson

from .conftest import edit


def test_everything_is_put_in(tiny: Lesson) -> None:
    english, chinese = (page.markdown(tiny, language) for language in LANGUAGES)
    for said in (english, chinese):
        assert "{" not in said.replace("{seed", "").replace('{"', "").replace("{\n", "").replace("values = {", "").replace(
            "{1 +", ""
        ).replace("{language}", "").replace("{word}", "")
        assert "2.04 ± 0.04" in said  # 2 * 1.02, and 2.776 * deviation / sqrt(5)
        assert "2.5" in said
        assert "raise NotImplementedError" in said
        assert "https://example.org/book" in said
    assert "SUPPORTED" in english
    assert "成立。**" in chinese
    assert "sizes.en.svg" in english
    assert "sizes.zh.svg" in chinese
    assert english.index("**b** ✓") > english.index("**a** ✗") > english.index("<details>")


def test_formulas_pass_through_markdown_as_they_are_written() -> None:
    from markdown_it import MarkdownIt  # what rich shows a page with

    said = r"With $\sigma_d \,[a_i]*b*$, `$\,$` and" + "\n\n$$\\rho\\,\\sigma_a$$\n\n```\n$\\,$\n```\n"
    inline, block, code = [token for token in MarkdownIt().parse(page.formulas_kept(said)) if token.content]
    assert [child.content for child in inline.children or ()] == [r"With $\sigma_d \,[a_i]*b*$, ", r"$\,$", " and"]
    assert [child.content for child in block.children or ()] == [r"$$\rho\,\sigma_a$$"]
    assert code.content == "$\\,$\n"


def test_roles_inside_code_are_code(folder: Path) -> None:
    found = edit(folder, "text.en.md", "Some words.", "Some words.\n\n```\n{measured}`not.there`\n```")
    assert "{measured}`not.there`" in page.markdown(found, "en")


@pytest.mark.parametrize(
    ("form", "text"),
    [(":.1f", "2.0 ± 0.0"), (":~.1f", "2.0"), ("", "2.04 ± 0.0393"), (":.1%", "204.0 % ± 3.9 %"), (":~.1e", "$2.0 \\times 10^{0}$")],
)
def test_formats(folder: Path, form: str, text: str) -> None:
    found = edit(folder, "text.en.md", "twice.size:.2f", f"twice.size{form}")
    assert f"It is {text}," in page.markdown(found, "en")


def test_a_blank_is_an_error(folder: Path) -> None:
    data = json.loads((folder / "results.json").read_text("utf-8"))
    data["values"]["exact"] = {"values": [None], "seeds": [], "mean": None, "deviation": None, "low": None, "high": None}
    (folder / "results.json").write_text(json.dumps(data), "utf-8")
    with pytest.raises(BadInput, match="no value"):
        page.markdown(lesson.read(folder), "zh")


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notebook_is_one_and_its_code_runs(tiny: Lesson, language: str, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    made = notebook.notebook(tiny, language)
    nbformat.validate(nbformat.from_dict(made))
    code = ["".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == "code"]
    assert [cell.splitlines()[0] for cell in code[:2]] == ["from danlu.study.results import measured", "def measure(seeds):"]
    assert code[-1].endswith("check('07.1', double)")
    done = subprocess.run([sys.executable, "-c", "\n\n".join(code[:-1])], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_folder_that_open_makes(tiny: Lesson, tmp_path: Path) -> None:
    made = notebook.copy(tiny, "zh", tmp_path)
    assert sorted(path.name for path in made.iterdir()) == ["exercise_1.py", "lesson.ipynb", "lesson.py", "sizes.zh.svg"]
    assert "两倍" in (made / "lesson.ipynb").read_text("utf-8")
    with pytest.raises(BadInput, match="already"):
        notebook.copy(tiny, "zh", tmp_path)
