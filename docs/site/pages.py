"""The pages of the site as MyST markdown, made of what is there: lessons, results, sources, tests, documents.

Nothing is run or measured here, and a value that is not there is an error.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import words
from measured import Measurements

from danlu import find, messages
from danlu.cli.show import default, use
from danlu.errors import BadInput, Sentence, speak
from danlu.find import card as cards
from danlu.find.source import FOLDERS, Found
from danlu.learn import case as cases
from danlu.learn import lesson as lessons
from danlu.learn import page, shelf, strict
from danlu.learn.lesson import Lesson

ROOT = Path(__file__).parents[2]
EVIDENCE = ("exam", "reliability", "placements", "optimisers")
KINDS = [kind for kind in FOLDERS if kind != "technique"]


class Site:
    """All pages of one language: name -> text, and the pictures that they show."""

    def __init__(self, language: str):
        self.language = language
        self.lessons = {id_: lessons.read(folder) for id_, folder in shelf.folders().items()}
        self.cases = [cases.read(folder) for folder in cases.folders()]
        self.measured = Measurements(ROOT / "bench" / "cards.json", language)
        self.names = [found for kind in FOLDERS for found in find.catalogue(kind, others=False)]

    def say(self, sentence: Sentence, **values: object) -> str:
        return str(getattr(sentence, self.language).format(**values))

    def pages(self) -> dict[str, str]:
        speak(self.language)
        try:
            made = {
                "index": self.index(),
                "lessons/index": self.shelf(),
                "paths": self.paths(),
                "coverage": self.coverage(),
                "api": self.api(),
            }
            made |= {f"lessons/{each.name}": self.lesson(each) for each in self.lessons.values()}
            made["cases/index"] = self.toc(words.CASES, [each.name for each in self.cases])
            made |= {f"cases/{each.name}": self.case(each) for each in self.cases}
            made["techniques/index"] = self.toc(words.CARDS, [found.name for found in self.kind("technique")])
            made |= {f"techniques/{found.name}": self.card(found, 1) for found in self.kind("technique")}
            made["names/index"] = self.toc(words.NAMES, KINDS)
            made |= {f"names/{kind}": self.all_of(kind) for kind in KINDS}
            made["guide"] = self.readme()
            guides = sorted((ROOT / "docs" / "guides").glob(f"*.{self.language}.md"))
            made["guides/index"] = self.toc(words.GUIDES, [path.name.split(".")[0] for path in guides])
            made |= {f"guides/{path.name.split('.')[0]}": _plain_fences(path.read_text("utf-8")) for path in guides}
            evidence = [path for name in EVIDENCE if (path := ROOT / "docs" / f"{name}.md").exists()]
            made["evidence/index"] = self.toc(words.EVIDENCE_PAGES, [path.stem for path in evidence])
            made |= {f"evidence/{path.stem}": _unlinked(path.read_text("utf-8")) for path in evidence}
            made["writing"] = (ROOT / "docs" / ("lessons.md" if self.language == "en" else "lessons.zh.md")).read_text("utf-8")
            documents = [*sorted((ROOT / "docs" / "decisions").glob("*.md")), ROOT / "docs" / "log.md"]
            made["decisions/index"] = self.toc(words.DECISIONS, [path.stem for path in documents])
            made |= {f"decisions/{path.stem}": path.read_text("utf-8") for path in documents}
        finally:
            speak(None)
        return made

    def pictures(self) -> Iterator[tuple[str, Path]]:
        """(where in the site, file) of every figure."""
        for folder, pages in (("lessons", self.lessons.values()), ("cases", self.cases)):
            for each in pages:
                for path in sorted(each.folder.glob(f"*.{self.language}.svg")):
                    yield f"{folder}/{each.name}.{path.name}", path

    def kind(self, kind: str) -> list[Found]:
        return [found for found in self.names if found.kind == kind]

    # ---- the whole ----

    def index(self) -> str:
        start = "pip install danlu\ndanlu learn\ndanlu train digits"
        tree = [
            "guide",
            "guides/index",
            "paths",
            "lessons/index",
            "cases/index",
            "techniques/index",
            "names/index",
            "coverage",
            "evidence/index",
            "api",
            "decisions/index",
            "writing",
        ]
        return f"# {self.say(words.HOME)}\n\n{self.say(words.WELCOME)}\n\n```\n{start}\n```\n\n{_tree(tree)}"

    def toc(self, title: Sentence, names: list[str]) -> str:
        return f"# {self.say(title)}\n\n{_tree(names)}"

    def readme(self) -> str:
        """The README, whose links to other documents become plain words."""
        body = (ROOT / ("README.md" if self.language == "en" else "README.zh.md")).read_text("utf-8")
        return re.sub(r"\A# .*", f"# {self.say(words.GUIDE)}", _unlinked(body))

    # ---- lessons ----

    def shelf(self) -> str:
        rows = [f"- [{each.id} {self.say(each.title)}]({each.name}.md): {self.say(each.question)}" for each in self.lessons.values()]
        return (
            f"# {self.say(words.LESSONS)}\n\n"
            + "\n".join(rows)
            + "\n\n"
            + _tree([each.name for each in self.lessons.values()], hidden=True)
        )

    def paths(self) -> str:
        parts = [f"# {self.say(words.PATHS)}"]
        for path in shelf.paths():
            there = [self.lessons[id_] for id_ in path.planned if id_ in self.lessons]
            rows = [f"1. [{each.id} {self.say(each.title)}](lessons/{each.name}.md): {self.say(each.question)}" for each in there]
            missing = [id_ for id_ in path.planned if id_ not in self.lessons]
            parts += [f"## {self.say(path.title)}", self.say(path.about), "\n".join(rows)]
            parts += [self.say(words.NOT_YET, ids=", ".join(missing))] if missing else []
            parts.append(self.say(words.EXIT_TASK, task=self.say(path.exit_task)))
        return "\n\n".join(part for part in parts if part)

    def lesson(self, each: Lesson) -> str:
        return self.told(each, [page.heading(each, self.language), self.say(words.OPEN, id=each.id)])

    def case(self, each: Lesson) -> str:
        head = f"# {self.say(each.title)}\n\n*{self.say(each.question)}*"
        return self.told(each, [head, self.say(words.CASE_OPEN, name=each.name)])

    def told(self, each: Lesson, parts: list[str]) -> str:
        for part in page.parts(each, self.language):
            if part.kind == "figure":
                parts.append(f"![{part.alt}]({each.name}.{part.source})\n\n*{part.alt}*")
            else:
                parts.append(page.written(part, self.language))
        return "\n\n".join(parts)

    # ---- cards ----

    def all_of(self, kind: str) -> str:
        return f"# {self.say(messages.KINDS[kind])}\n\n" + "\n\n".join(self.card(found, 2) for found in self.kind(kind))

    def card(self, found: Found, level: int) -> str:
        """What the sources say of a name, and what was measured of it."""
        summary = self.as_it_stands(found.said)
        facts = [f"**{self.say(words.ROWS)}**{self.measured.colon}{', '.join(found.scope)}"]
        if found.seam:
            facts.append(f"**{self.say(words.SEAM)}**{self.measured.colon}{self.say(messages.SEAM_WORDS[found.seam])}")
        parts = [f"{'#' * level} {found.name}", _plain(summary), " · ".join(facts), f"```\n{use(found)}\n```"]
        measured = self.measured.of(found)
        if found.kind in cards.CARRY:
            said = cards.card(found)
            if missing := [heading.en for part, heading in messages.CARD.items() if not all(said[part])]:
                raise BadInput(words.NO_WORDS, name=found.name, parts=", ".join(missing))
            for part, heading in messages.CARD.items():
                text = str(getattr(said[part], self.language))
                body = f"```text\n{text}\n```" if part == "formula" else _plain(_begun(text.removeprefix(summary).strip() or text))
                parts.append("\n\n".join([f"**{self.say(heading)}**", body, *measured.get(part, [])]))
        elif any(said := cards.about(found)):
            parts += [_plain(self.as_it_stands(said))] if self.as_it_stands(said) else [self.say(messages.IN_ENGLISH), _plain(said.en)]
        if found.fields:
            head = [self.say(words.FIELD), self.say(words.DEFAULT), self.say(words.ABOUT)]
            parts.append(_table(head, [[f"`{f.name}`", f"`{default(f)}`", _plain(self.as_it_stands(f.doc))] for f in found.fields]))
        evidence = [f"- {row}" for row in measured.get("evidence", [])] + self.claimed(found)
        if found.kind in (*cards.CARRY, "loss") or evidence:
            parts.append(f"**{self.say(words.EVIDENCE)}**\n\n" + ("\n".join(evidence) or self.say(words.NO_EVIDENCE)))
        return "\n\n".join(part for part in parts if part)

    def claimed(self, found: Found) -> list[str]:
        """Each claim of each lesson and case that teaches this name: verdict, difference with interval, seeds."""
        rows = []
        places = [("../lessons", words.FROM_LESSON, each, each.id) for each in self.lessons.values()]
        places += [("../cases", words.FROM_CASE, each, self.say(each.title)) for each in self.cases]
        for folder, origin, each, title in places:
            if found.name in each.teaches:
                for name, claim in each.claims.items():
                    verdict = each.results.verdicts[name]
                    word = self.say(page.WORDS[verdict.word])
                    reason, link = _plain(self.as_it_stands(verdict.reason)), f"[{title}]({folder}/{each.name}.md)"
                    rows.append(f"- **{word}** {self.say(claim.statement)}{self.say(origin, reason=reason, link=link)}")
        return rows

    def as_it_stands(self, sentence: Sentence) -> str:
        """A sentence whose values are in it already, or that has none."""
        return str(getattr(sentence, self.language))

    # ---- coverage and API ----

    def coverage(self) -> str:
        """Which name, lesson and test file serves each row of the scope."""
        rows_, spot = strict.document(ROOT / "docs" / "scope.yaml")
        parts, table, counts = [f"# {self.say(words.COVERAGE)}"], list[list[str]](), [0, 0, 0]
        head = [self.say(word) for word in (words.ROW, words.WHAT, words.LESSONS, words.TESTS)]
        body: list[str] = []
        for id_, said in rows_.items():
            title = self.say(strict.sentence(said, spot.at(id_)))
            if "." not in id_:
                body += [_table(head, table)] if table else []
                body.append(f"## {id_} {title}")
                table = []
                continue
            found = [each for each in self.names if id_ in each.scope]
            taught = [each for each in self.lessons.values() if id_ in each.scope]
            tests = sorted({test for each in found for test in _tests(each)})
            counts = [counts[0] + 1, counts[1] + bool(found), counts[2] + bool(taught)]
            links = ", ".join(f"[{each.id}](lessons/{each.name}.md)" for each in taught)
            cells = [f"{id_} {title}", ", ".join(_link(each) for each in found), links, ", ".join(f"`{test}`" for test in tests)]
            table.append([cell or "–" for cell in cells])
        body += [_table(head, table)] if table else []
        parts.append(self.say(words.COUNT, rows=counts[0], with_names=counts[1], with_lessons=counts[2]))
        return "\n\n".join([*parts, *body])

    def api(self) -> str:
        """The public face, as its docstrings have it."""
        import danlu

        parts = [f"# {self.say(words.API)}", self.say(words.ABOUT_API)]
        for name, home in sorted(danlu._HOMES.items()):
            tree = ast.parse((ROOT / "src" / "danlu" / f"{home.replace('.', '/')}.py").read_text("utf-8"))
            node = next(n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and n.name == name)
            signature = f"{name}({ast.unparse(node.args)})" if isinstance(node, ast.FunctionDef) else f"class {name}"
            parts += [f"## {name}", f"```python\n{signature}\n```", _plain(ast.get_docstring(node) or "")]
        return "\n\n".join(part for part in parts if part)


def _unlinked(text: str) -> str:
    """Links to files become plain words."""
    return re.sub(r"!?\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)


def _plain_fences(text: str) -> str:
    """A guide's code without the names of the files that its test writes."""
    return re.sub(r"^```python file=.*$", "```python", text, flags=re.M)


def _tests(found: Found) -> list[str]:
    """Test files that are named after the module of a name, or lie in the place that mirrors it."""
    stem = Path(found.path).stem
    return [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob(f"test_{stem}.py")]


def _link(found: Found) -> str:
    return f"[{found.name}](techniques/{found.name}.md)" if found.kind == "technique" else f"[{found.name}](names/{found.kind}.md)"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines)


def _plain(text: str) -> str:
    """Text of a docstring as markdown: what would be mark-up there is none; code stays code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if place % 2 else re.sub(r"([\\*_<>\[\]{}$#|])", r"\\\1", part) for place, part in enumerate(parts))


def _begun(text: str) -> str:
    """With a capital, as a paragraph begins; a name in code stays as it is."""
    return text[:1].upper() + text[1:]


def _tree(names: list[str], hidden: bool = False) -> str:
    flags = ":hidden:\n" if hidden else ":maxdepth: 1\n"
    return f"```{{toctree}}\n{flags}\n" + "\n".join(names) + "\n```\n"
