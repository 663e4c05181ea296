"""What is wrong with a lesson as it is written: in its two languages, its figures, its references. Nothing of it is run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from danlu import find, messages
from danlu.errors import BadInput, Sentence, Trouble
from danlu.find import computing
from danlu.find.names import Phrase
from danlu.learn import page, prose
from danlu.learn.lesson import LANGUAGES, Lesson
from danlu.learn.text import Role, Section

NEEDED = ("measure", "pictures")  # functions of lesson.py


def lint(lesson: Lesson) -> list[Phrase]:
    """Every problem, each a sentence with file and line where there is one."""
    return [problem for rule in RULES for problem in all_of(rule, lesson)]


def all_of(rule: Callable[[Lesson], Iterator[Phrase]], lesson: Lesson) -> Iterator[Phrase]:
    """What a rule finds; what it cannot read (no results yet) is a problem too."""
    try:
        yield from rule(lesson)
    except Trouble as trouble:
        yield Phrase(trouble.sentence, **trouble.values)


def in_step(lesson: Lesson) -> Iterator[Phrase]:
    """Both languages have the same sections in the same order, each Chinese one knows its English one, and both put the same things in."""
    english, chinese = (lesson.texts[language] for language in LANGUAGES)
    if (here := [section.id for section in english.sections]) != (there := [section.id for section in chinese.sections]):
        yield Phrase(messages.LINT_SECTIONS, path=chinese.path, here=", ".join(here), there=", ".join(there))
        return
    for one, other in zip(english.sections, chinese.sections):
        if other.goes_with != one.digest:
            yield Phrase(messages.LINT_STALE, where=f"{chinese.path}:{other.line}", section=one.id, digest=one.digest, folder=lesson.id)
        if (ours := _put_in(one)) != (theirs := _put_in(other)):
            differ = [f"{{{kind}}}`{name}`" for kind, name in sorted(set(ours) ^ set(theirs))] or [str(len(ours)), str(len(theirs))]
            yield Phrase(messages.LINT_ROLES, where=f"{chinese.path}:{other.line}", section=one.id, roles=", ".join(differ))


def _put_in(section: Section) -> list[tuple[str, str]]:
    """What a section puts in, whatever the order: word order is a language's own, and so is a caption."""
    return sorted((role.kind, role.content if role.kind in ("measured", "set") else role.name) for role in section.roles())


def numbers(lesson: Lesson) -> Iterator[Phrase]:
    """No bare number in prose."""
    for text in lesson.texts.values():
        for section in text.sections:
            for line, what in prose.bare_numbers(section.body):
                yield Phrase(messages.LINT_NUMBER, where=f"{text.path}:{section.line + line}", found=what)
    for where, said in _short(lesson):
        for language in LANGUAGES:
            for _, what in prose.bare_numbers(getattr(said, language)) if where.endswith("why") else []:
                yield Phrase(messages.LINT_NUMBER, where=where, found=what)


def chinese(lesson: Lesson) -> Iterator[Phrase]:
    """Chinese has its own marks."""
    text = lesson.texts["zh"]
    for section in text.sections:
        for line, around in prose.half_width(section.body):
            yield Phrase(messages.LINT_HALF_WIDTH, where=f"{text.path}:{section.line + line}", found=around)


def short_texts(lesson: Lesson) -> Iterator[Phrase]:
    for where, said in _short(lesson):
        for found in prose.sentences(said):
            yield Phrase(messages.LINT_HALF_WIDTH, where=where, found=found[:40])


def _short(lesson: Lesson) -> Iterator[tuple[str, Sentence]]:
    """(where, text) of everything short that a reader sees."""
    file = lesson.folder / "lesson.yaml"
    yield from ((f"{file}: title", lesson.title), (f"{file}: question", lesson.question))
    yield from ((f"{file}: readings {each.title}", each.why) for each in lesson.readings)
    for question in lesson.quiz:
        where = f"{lesson.folder / 'quiz.yaml'}: {question.id}"
        yield f"{where} ask", question.ask
        for choice in question.choices:
            yield from ((f"{where} says", choice.says), (f"{where} why", choice.why))
    for exercise in lesson.exercises:
        yield from ((f"{exercise.id} {name}", said) for name, said in exercise.hints.items())
    for claim in lesson.claims.values():
        where = f"{lesson.folder / 'claims.yaml'}: {claim.id}"
        yield from ((f"{where} statement", claim.statement), (f"{where} regime", claim.regime))


def shown(lesson: Lesson) -> Iterator[Phrase]:
    """Each cell once and in order, each claim, question and exercise once, and further reading."""
    for text in lesson.texts.values():
        wanted = {
            "code": [cell.name for cell in lesson.cells],
            "claim": list(lesson.claims),
            "quiz": [question.id for question in lesson.quiz],
            "exercise": [exercise.number for exercise in lesson.exercises],
        }
        for kind, names in wanted.items():
            found = [role.content if kind == "code" else role.name for role in text.roles(kind)]
            if (found if kind == "code" else sorted(found)) != (names if kind == "code" else sorted(names)):
                yield Phrase(messages.LINT_SHOWN, path=text.path, kind=kind, wanted=", ".join(names), found=", ".join(found))
        if len(text.roles("readings")) != 1:
            yield Phrase(messages.LINT_READINGS, path=text.path)


def complete(lesson: Lesson) -> Iterator[Phrase]:
    """It claims, asks and sets something, and says where to read on."""
    for kind, there in (("claim", lesson.claims), ("quiz", lesson.quiz), ("exercise", lesson.exercises), ("readings", lesson.readings)):
        if not there:
            yield Phrase(messages.LINT_NONE, id=lesson.id, kind=kind)


def filled(lesson: Lesson) -> Iterator[Phrase]:
    """Every role finds what it names: no blank is ever printed."""
    for language, text in lesson.texts.items():
        for role in text.roles():
            where = f"{text.path}:{role.line}"
            yield from _tried(where, lambda role=role, language=language: _resolve(lesson, role, language))  # type: ignore[misc]
            if role.kind == "figure" and not role.rest:
                yield Phrase(messages.LINT_CAPTION, where=where, name=role.name)
    for where, said in _short(lesson):
        for language in LANGUAGES:
            yield from _tried(where, lambda said=said, language=language: page.short(lesson, said, language))  # type: ignore[misc]


def _resolve(lesson: Lesson, role: Role, language: str) -> Any:
    return page.value(lesson, role, language) if role.kind in ("measured", "set") else page.put_in(lesson, role, language)


def decided(lesson: Lesson) -> Iterator[Phrase]:
    """Exactly one choice of each question is right."""
    for question in lesson.quiz:
        yield from _tried(f"{lesson.folder / 'quiz.yaml'}: {question.id}", lambda question=question: question.right(lesson.results))  # type: ignore[misc]


def _tried(where: str, look: Callable[[], Any]) -> Iterator[Phrase]:
    try:
        look()
    except BadInput as error:
        yield Phrase(messages.AT_FILE, where=where, problem=Phrase(error.sentence, **error.values))


def code(lesson: Lesson) -> Iterator[Phrase]:
    """lesson.py has `measure` and `pictures`, and imports danlu by the modules that compute, so that a change in them is noticed."""
    tree = ast.parse(lesson.code.read_text("utf-8"))
    there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name in NEEDED:
        if name not in there:
            yield Phrase(messages.NAME_NOT_IN_FILE, path=lesson.code, name=name, hint="")
    for exercise in lesson.exercises:  # in the notebook both are in one namespace
        if exercise.function in there:
            yield Phrase(messages.LINT_SHADOWS, id=exercise.id, name=exercise.function)
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom | ast.Import):
            continue
        for module in [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]:
            if module.split(".")[0] == "danlu" and computing.file_of(module) is None:
                yield Phrase(messages.LINT_IMPORT, where=f"{lesson.code}:{node.lineno}", module=module)


def named(lesson: Lesson) -> Iterator[Phrase]:
    """What it says that it teaches is something that a recipe may name."""
    known = {found.name for found in find.catalogue(others=False)}
    for name in lesson.teaches:
        if name not in known:
            yield Phrase(messages.LINT_TEACHES, path=lesson.folder / "lesson.yaml", name=name, hint=find.hint(name, sorted(known)))


def recorded(lesson: Lesson) -> Iterator[Phrase]:
    """The results are those of this lesson.py and claims.yaml."""
    from danlu.learn.verify import own_files_changed

    if own_files_changed(lesson):
        yield Phrase(messages.LINT_RESULTS_OLD, id=lesson.id)


RULES = (in_step, numbers, chinese, short_texts, shown, complete, filled, decided, code, named, recorded)
