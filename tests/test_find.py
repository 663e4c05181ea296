"""Names are found by reading source: kinds, seams, documentation, entry points, suggestions, and never an import of torch."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_names import one_edit

from danlu import find, messages
from danlu.describe.annotations import RECIPE
from danlu.errors import BadInput, Sentence, speak, spoken
from danlu.find.card import CARRY, about, card
from danlu.find.names import distance
from danlu.find.source import BAR, SEAMS, field_docs
from danlu.learn.prose import half_width

HEADINGS = [heading for said in messages.CARD.values() for heading in said]
FILES = {
    "__init__.py": "",
    "optim/__init__.py": "",
    "optim/plain.py": '''
        from dataclasses import dataclass
        import dataclasses

        @dataclass(frozen=True)
        class Base:
            """Internal: no scope line.

            lr: the rate
            """
            lr: float = 0.1
            def __call__(self, params): return ("opt", self)

        @dataclasses.dataclass(frozen=True)
        class FastAdam(Base):
            """A fast one.

            beta: how much
                is kept ｜ 保留
                多少

            Scope: 1.5, 3.1

            中文: 很快的
            优化器。
            """
            beta: float = 0.9

        class NotADataclass:
            """Scope: 1.5"""

        @dataclass
        class _Private:
            """Scope: 1.5"""

        @dataclass
        class Stair:
            """Drops.

            Scope: 1.6
            """
            every: int
            def __call__(self, total_steps): return lambda step: 1.0
    ''',
    "techniques/__init__.py": "",
    "techniques/gradient/__init__.py": "",
    "techniques/gradient/trick.py": '''
        """A trick (Someone 2020).

        Scope: 3.6
        """
        from dataclasses import dataclass
        from typing import ClassVar

        class Technique: pass

        @dataclass
        class Trick(Technique):
            """Does a trick.
            rho: how far
            中文: 一个技巧。
            """
            rho: float = 0.05
            neutral: ClassVar = {"rho": 0.0}
            name: ClassVar = "my_trick"

        @dataclass
        class Row:
            """Internal: no technique."""
            value: float
    ''',
    "recipes/__init__.py": "",
    "recipes/tiny.py": '''
        def tiny():
            """A tiny recipe.

            Scope: 1.1
            """

        def helper():
            """Nothing."""
    ''',
    "nets/broken.py": "import a_module_that_is_not_there\n",
}  # fmt: skip


def forget() -> None:
    for cached in (find._folder, find._theirs, find._may_add):
        cached.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "fake_danlu"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text), "utf-8")
    monkeypatch.setattr(find, "ROOT", root)
    monkeypatch.setattr(find, "PACKAGE", "fake_danlu")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    (root / "source.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    forget()
    yield root
    forget()
    for name in [name for name in sys.modules if name.partition(".")[0] == "fake_danlu"]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    speak("en")
    yield
    speak(None)


def test_kinds_names_and_documentation(package: Path) -> None:
    assert [(found.kind, found.name) for found in find.catalogue()] == [
        ("optimizer", "fast_adam"), ("technique", "my_trick"), ("schedule", "stair"), ("recipe", "tiny"),
    ]  # fmt: skip
    fast = find.find("optimizer", "fast_adam")
    assert (fast.summary, fast.chinese, fast.scope, fast.seam) == ("A fast one.", "很快的优化器。", ("1.5", "3.1"), "")
    assert [(f.name, f.annotation, f.default, f.doc) for f in fast.fields] == [
        ("lr", "float", "0.1", ("the rate", "the rate")), ("beta", "float", "0.9", ("how much is kept", "保留多少")),
    ]  # fmt: skip
    assert fast.load().__name__ == "FastAdam"
    assert Path(fast.path).read_text("utf-8").splitlines()[fast.line - 1].startswith("class FastAdam")
    trick = find.find("technique", "my_trick")
    assert (trick.seam, trick.scope, trick.chinese, [f.name for f in trick.fields]) == ("gradient", ("3.6",), "一个技巧。", ["rho"])
    assert find.find("schedule", "stair").fields[0].default is None


def test_the_cache_gives_the_same_and_sees_a_changed_file(package: Path) -> None:
    first = find.catalogue()
    forget()
    assert find.catalogue() == first
    cache = next((package.parent / "cache").rglob("names"))
    for file in cache.iterdir():
        file.write_text("{ not json")
    forget()
    assert find.catalogue() == first
    (package / "recipes/tiny.py").write_text('def other():\n    """Scope: 1.1"""\n')
    forget()
    assert find.names("recipe") == ["other"]


def test_name_of_is_the_inverse_of_find(package: Path) -> None:
    assert find.name_of(find.find("optimizer", "fast_adam").load(), "optimizer") == "fast_adam"
    assert find.name_of(dict, "optimizer") is None


def test_a_wrong_name_says_the_right_one(package: Path) -> None:
    with pytest.raises(BadInput, match=r"no optimizer is named `fastadan`; did you mean `fast_adam`\?"):
        find.find("optimizer", "fastadan")
    with pytest.raises(BadInput, match="`stair` is of another kind \\(schedule\\); choose from: fast_adam"):
        find.find("optimizer", "stair")
    with pytest.raises(BadInput, match="choose from: fast_adam"):
        find.find("optimizer", "zzzzzz")
    speak("zh")
    with pytest.raises(BadInput, match="没有名为 `fastadan` 的优化器；是不是 `fast_adam`？"):
        find.find("optimizer", "fastadan")


def entry_point(folder: Path, group: str, line: str) -> None:
    (folder / "plugin-1.0.dist-info").mkdir()
    (folder / "plugin-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (folder / "plugin-1.0.dist-info/entry_points.txt").write_text(f"[{group}]\n{line}\n")
    text = 'from dataclasses import dataclass\n@dataclass\nclass Wave:\n    """Waves.\n\n    a: height\n    """\n    a: float = 1.0\n'
    (folder / "danlu_plugin.py").write_text(text + "    def wrap_update(self, update, run): return update\n")


def test_entry_points_add_names_without_being_imported(package: Path) -> None:
    entry_point(package.parent, "danlu.techniques", "wave = danlu_plugin:Wave")
    forget()
    wave = find.find("technique", "wave")
    assert (wave.said, wave.seam, wave.fields[0].doc) == (("Waves.", "Waves."), "update", ("height", "height"))
    assert "wave" in find.names("technique") and "danlu_plugin" not in sys.modules
    assert find.name_of(wave.load(), "technique") == "wave"


def test_two_packages_may_not_give_one_name(package: Path) -> None:
    entry_point(package.parent, "danlu.optimizers", "fast_adam = danlu_plugin:Wave")
    forget()
    assert find.find("optimizer", "fast_adam").module == "fake_danlu.optim.plain"
    with pytest.raises(BadInput, match=r"defined twice, in fake_danlu\.optim\.plain and in danlu_plugin"):
        find.catalogue("optimizer")


def test_listing_imports_no_torch() -> None:
    code = "import sys; from danlu import find; print(len(find.catalogue())); sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60).stdout.strip().isdigit()


# ---- what is really there ----


@pytest.mark.parametrize("found", find.catalogue(others=False), ids=lambda found: f"{found.kind}-{found.name}")
def test_everything_found_is_documented(found: find.Found) -> None:
    assert found.summary and found.chinese, "a summary in both languages"
    assert found.name.isidentifier() and found.name == found.name.lower()
    assert all(field.doc.en for field in found.fields), f"no line for {[field.name for field in found.fields if not field.doc.en]}"
    if found.kind == "technique":
        assert found.seam in SEAMS


def in_both(said: Sentence) -> bool:
    """Whether the second is Chinese with full-width marks, and the first is not Chinese."""
    han = [any("\u4e00" <= letter <= "\u9fff" for letter in words) for words in said]
    return han == [False, True] and half_width(said.zh) == [] and not any(BAR in words for words in said)


@pytest.mark.parametrize("found", find.catalogue(others=False), ids=lambda found: f"{found.kind}-{found.name}")
def test_every_field_is_described_in_both_languages(found: find.Found) -> None:
    wrong = {field.name: tuple(field.doc) for field in found.fields if not in_both(field.doc)}
    assert wrong == {}, f"the line of a field goes on with {BAR} and the same in Chinese"
    python = [field.name for field in found.fields if re.search(r"\b(None|True|False)\b", " ".join(field.doc))]
    assert python == [], "values are written as in a recipe: null, true, false"


def test_the_recipe_s_own_fields_are_described_in_both_languages() -> None:
    assert {name for name, (_, said) in RECIPE.items() if not in_both(said)} == set()


def test_the_words_of_a_field_are_found_however_they_are_broken() -> None:
    said = field_docs(
        """What it is.

        one: an {a} ｜ 甲 {a}
        two: as long
            as it is
            ｜ 长的，
            断在标点之后
        three: English alone
        中文: 这不是字段
        four: last ｜ 末项

        five
        """
    )
    assert said == {
        "one": ("an {a}", "甲 {a}"), "two": ("as long as it is", "长的，断在标点之后"),
        "three": ("English alone", "English alone"), "four": ("last", "末项"),
    }  # fmt: skip
    speak("zh")
    assert spoken(said["one"]) == "甲 {a}"


@pytest.mark.parametrize("found", [found for kind in CARRY for found in find.catalogue(kind, others=False)], ids=lambda found: found.name)
def test_every_card_has_every_part_in_both_languages(found: find.Found) -> None:
    said = card(found)
    missing = [
        (heading.en, language) for part, heading in messages.CARD.items() for language in ("en", "zh") if not getattr(said[part], language)
    ]
    assert missing == [], "headings of its docstring; CONTRIBUTING.md says where"
    for part, words in said.items():
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in words.en)
        assert part == "formula" or any("\u4e00" <= letter <= "\u9fff" for letter in words.zh)
        assert half_width(words.zh) == []
        assert not any(f"{heading}:" in text for heading in HEADINGS for text in words), "a heading begins a line"


@pytest.mark.parametrize(
    "found", [found for found in find.catalogue(others=False) if found.kind not in CARRY], ids=lambda found: f"{found.kind}-{found.name}"
)
def test_what_stands_below_a_summary_is_there_in_both_languages(found: find.Found) -> None:
    said = about(found)
    assert (said.en == "") == (said.zh == ""), "each Chinese paragraph begins with 中文: and stands below that of the summary"
    assert said.en == "" or in_both(said)
    figures = [{float(figure.replace(",", "")) for figure in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", words)} for words in said]
    whole = {float(figure.replace(",", "")) for figure in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", f"{found.summary} {said.en}")}
    assert figures[0] <= figures[1] <= whole, "the same figures in both"


def test_chinese_paragraphs_are_the_summary_and_what_stands_below_it(package: Path) -> None:
    (package / "recipes/tiny.py").write_text(
        textwrap.dedent(
            '''
            def tiny():
                """A tiny recipe.

                It is
                small.

                中文: 小配方。

                中文: 很
                小。
                中文: 很快。
                Scope: 1.1
                """

            def english():
                """An English one.

                It is small.

                中文: 英文配方。

                And quick.

                Scope: 1.1
                """
            '''
        ),
        "utf-8",
    )
    forget()
    tiny, english = find.catalogue("recipe")[::-1]
    assert (tiny.said, about(tiny)) == (("A tiny recipe.", "小配方。"), ("It is small.", "很小。\n很快。"))
    assert (english.said, about(english)) == (("An English one.", "英文配方。"), ("It is small.\n\nAnd quick.", ""))


def test_a_card_without_a_part_says_so(package: Path) -> None:
    text = FILES["techniques/gradient/trick.py"]
    whole = """
        A trick (Someone 2020).

        It does
        this.

        Formula: g ← 2 g
        When it helps: now
          and then.
        What it costs: nothing.
        Failure signals: none.

        原理: 就是
        这样。
        公式: 不同
        何时有用: 有时。

        Scope: 3.6
    """
    (package / "techniques/gradient/trick.py").write_text(
        textwrap.dedent(text.replace("A trick (Someone 2020).\n\n        Scope: 3.6\n", whole)), "utf-8"
    )
    forget()
    said = card(find.find("technique", "my_trick"))
    assert said["mechanism"] == ("A trick (Someone 2020).\n\nIt does this.", "就是这样。")
    assert said["formula"] == ("g ← 2 g", "不同")
    assert said["helps"] == ("now and then.", "有时。")
    assert said["costs"] == ("nothing.", "")
    assert said["not_when"] == said["beside"] == ("", "")


def test_typos_of_real_names_and_fields_are_understood() -> None:
    """At least 57 of 60 generated one-edit typos name the right one first; a typo that is as near to another name does not count."""
    draw, right, tried = random.Random(1), 0, 0
    listed = find.catalogue(others=False)
    for found in [each for each in draw.choices(listed, k=200) if len(each.name) > 3]:
        known = [field.name for field in found.fields if len(field.name) > 2]
        choices, word = (known, draw.choice(known)) if known and draw.random() < 0.5 else (find.names(found.kind), found.name)
        typo = one_edit(word, draw)
        if typo in choices or sum(distance(typo, choice) <= 1 for choice in choices) > 1:
            continue
        tried += 1
        right += f"`{word}`" in str(find.hint(typo, choices))
    assert tried >= 60 and right >= 0.95 * tried, (right, tried)
