"""A lesson as one page in one language: the text with code, figures, verdicts, questions and exercises put in.

The page is a list of parts, so that it can become a notebook (`notebook.py`), a page of the site, or text in a terminal. Nothing is run:
what was measured comes from results.json, and what is not there is an error, never a blank.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from danlu import messages
from danlu.errors import BadInput, Sentence
from danlu.find import hint
from danlu.learn.exercise import Exercise
from danlu.learn.lesson import Lesson
from danlu.learn.quiz import Question
from danlu.learn.text import ROLE, Role, Section

WORDS = {"SUPPORTED": messages.VERDICT_SUPPORTED, "NOT SUPPORTED": messages.VERDICT_NOT, "INCONCLUSIVE": messages.VERDICT_OPEN}

_POWER = re.compile(r"\$(-?[\d.]+) \\times 10\^\{(-?\d+)\}\$")  # as `_number` writes it
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_CODE_OR_FORMULA = re.compile(r"```.*?```|`[^`\n]*`|\$\$.+?\$\$|\$[^$\n]+\$", re.S)


@dataclass(frozen=True)
class Part:
    """kind: "prose" (markdown), "code" (Python that is run), "figure" (a file's name in `source`), "exercise" (the stub in `source`)."""

    kind: str
    source: str
    label: str = ""  # the section's id, for the part that begins one
    alt: str = ""  # of a figure
    exercise: Exercise | None = None


def parts(lesson: Lesson, language: str) -> Iterator[Part]:
    """The page. Raises BadInput for whatever the text names and the lesson does not have."""
    for section in lesson.texts[language].sections:
        label, prose = section.id, list[str]()
        roles = {role.line: role for role in section.roles() if role.kind not in ("measured", "set")}
        for number, line in enumerate(section.body.split("\n"), section.line):
            role = roles.get(number)
            if role is None:
                prose.append(line)
                continue
            made = put_in(lesson, role, language)
            if made.kind == "prose":
                prose += ["", made.source, ""]
                continue
            if text := filled(lesson, "\n".join(prose), language).strip("\n"):
                yield Part("prose", text, label)
                label = ""
            prose = []
            yield made
        if text := filled(lesson, "\n".join(prose), language).strip("\n"):
            yield Part("prose", text, label)
    yield Part("prose", f"*{measured_with(lesson, language)}*")


def measured_with(lesson: Lesson, language: str) -> str:
    """With what its figures were measured."""
    found, machine = lesson.results, lesson.results.machine
    values = {
        "seeds": found.tables["lesson"]["seeds"],
        "seconds": found.cpu_seconds,
        **{key: machine[key] for key in ("cpu", "python", "torch")},
    }
    return getattr(messages.PAGE_MEASURED, language).format(**values)


def filled(lesson: Lesson, body: str, language: str) -> str:
    """The words with `{measured}` and `{set}` filled in. A role inside a code block is none."""
    section = Section("", body, 0)
    rows = body.split("\n")
    for role in section.roles():
        if role.kind in ("measured", "set"):
            written = f"{{{role.kind}}}`{role.content}`"
            rows[role.line] = rows[role.line].replace(written, value(lesson, role, language), 1)
    return "\n".join(rows)


def short(lesson: Lesson, said: Sentence, language: str) -> str:
    """A short text of a quiz, filled in."""
    return ROLE.sub(lambda found: value(lesson, Role(found[1], found[2], 0), language), getattr(said, language))


def value(lesson: Lesson, role: Role, language: str) -> str:
    """A measured value or a setting, as text.

    `{measured}`key:.2f`` is mean ± half of its 95 % interval, `{measured}`key:~.2f`` the mean alone; `{set}`NAME`` a constant of lesson.py.
    """
    if role.kind == "set":
        if role.name not in lesson.constants:
            raise BadInput(messages.LESSON_NO_CONSTANT, id=lesson.id, name=role.name, hint=hint(role.name, list(lesson.constants)))
        return format(lesson.constants[role.name], role.rest) if role.rest else str(lesson.constants[role.name])
    found = lesson.results.value(role.name)
    alone, form = role.rest.startswith("~"), role.rest.removeprefix("~") or ".3g"
    mean = found.mean if found.mean is not None else found.values[0] if found.n == 1 else None
    if mean is None or not math.isfinite(mean):
        raise BadInput(messages.LESSON_BLANK, id=lesson.id, key=role.name)
    if alone or not found.seeds or found.low is None or found.high is None:
        return _number(mean, form, language)
    return f"{_number(mean, form, language)} ± {_number((found.high - found.low) / 2, form, language)}"


def _number(number: float, form: str, language: str) -> str:
    """The number in that format, `1.2e-08` as a product; `93 %` in English is `93%` in Chinese."""
    text = format(number, form)
    if "e" not in text or "%" in text:
        return text.replace("%", " %") if language == "en" else text
    digits, _, power = text.partition("e")
    return f"${digits} \\times 10^{{{int(power)}}}$"


def put_in(lesson: Lesson, role: Role, language: str) -> Part:
    """What a role on a line of its own puts into the page."""
    if role.kind == "code":
        cell = next((cell for cell in lesson.cells if cell.name == role.content), None)
        if cell is None:
            raise _missing(lesson, role, [cell.name for cell in lesson.cells])
        return Part("code", cell.source)
    if role.kind == "figure":
        return Part("figure", lesson.figure(role.name, language).name, alt=role.rest)
    if role.kind == "exercise":
        found = next((each for each in lesson.exercises if each.number == role.name), None)
        if found is None:
            raise _missing(lesson, role, [each.number for each in lesson.exercises])
        return Part("exercise", found.stub.read_text("utf-8").strip("\n"), exercise=found)
    if role.kind == "claim":
        if role.name not in lesson.claims:
            raise _missing(lesson, role, list(lesson.claims))
        return Part("prose", claim(lesson, role.name, language))
    if role.kind == "quiz":
        question = next((each for each in lesson.quiz if each.id == role.name), None)
        if question is None:
            raise _missing(lesson, role, [each.id for each in lesson.quiz])
        return Part("prose", asked(lesson, question, language))
    return Part("prose", readings(lesson, language))


def _missing(lesson: Lesson, role: Role, there: list[str]) -> BadInput:
    return BadInput(messages.LESSON_NOTHING_NAMED, id=lesson.id, role=role.kind, name=role.name, hint=hint(role.name, there))


def claim(lesson: Lesson, name: str, language: str) -> str:
    """A claim with its verdict, the figures it rests on, and where it was measured."""
    said, verdict = lesson.claims[name], lesson.results.verdicts.get(name)
    if verdict is None:
        raise BadInput(messages.LESSON_NO_VERDICT, id=lesson.id, claim=name)
    word = getattr(WORDS[verdict.word], language)
    rows = [
        f"**{getattr(messages.PAGE_CLAIM, language)}** {getattr(said.statement, language)}",
        getattr(messages.PAGE_VERDICT, language).format(word=word, reason=getattr(verdict.reason, language)),
        f"*{getattr(messages.PAGE_REGIME, language)} {getattr(said.regime, language)}*",
    ]
    return "\n>\n".join(f"> {row}" for row in rows)


def asked(lesson: Lesson, question: Question, language: str) -> str:
    """A question with its choices; what is right, and why or why not, is folded away."""
    right = question.right(lesson.results)
    letters = [chr(ord("a") + place) for place in range(len(question.choices))]
    choices = [f"- **{letter}** {short(lesson, choice.says, language)}" for letter, choice in zip(letters, question.choices)]
    whys = [
        f"- **{letter}** {'✓' if place == right else '✗'} {short(lesson, choice.why, language)}"
        for place, (letter, choice) in enumerate(zip(letters, question.choices))
    ]
    summary = getattr(messages.PAGE_ANSWER, language)
    return "\n".join(
        [
            f"**{short(lesson, question.ask, language)}**",
            "",
            *choices,
            "",
            f"<details><summary>{summary}</summary>",
            "",
            *whys,
            "",
            "</details>",
        ]
    )


def readings(lesson: Lesson, language: str) -> str:
    return "\n".join(f"- [{each.title}]({each.url}): {getattr(each.why, language)}" for each in lesson.readings)


def heading(lesson: Lesson, language: str) -> str:
    """The title of the page, and the question that it answers."""
    return f"# {lesson.id} {getattr(lesson.title, language)}\n\n*{getattr(lesson.question, language)}*"


def markdown(lesson: Lesson, language: str) -> str:
    """The whole page as markdown: code and exercises in fences, figures as pictures."""
    return "\n\n".join([heading(lesson, language), *(written(part, language) for part in parts(lesson, language))]) + "\n"


def powers(text: str) -> str:
    """Small and large numbers as a terminal can show them: `9 × 10⁻²⁸`."""
    return _POWER.sub(lambda found: f"{found[1]} × 10{found[2].translate(_RAISED)}", text)


def formulas_kept(text: str) -> str:
    """Markdown for a reader that knows no formulas: they come out as they are written, where markdown would eat their `\\,` and `_`."""

    def plain(found: re.Match[str]) -> str:
        return re.sub(r"[\\_*\[\]<>]", r"\\\g<0>", found[0]) if found[0].startswith("$") else found[0]

    return _CODE_OR_FORMULA.sub(plain, powers(text))


def written(part: Part, language: str) -> str:
    """A part as markdown."""
    if part.kind == "code":
        return f"```python\n{part.source}\n```"
    if part.kind == "exercise":
        assert part.exercise is not None
        how = getattr(messages.PAGE_EXERCISE, language).format(id=part.exercise.id, file=part.exercise.given_name)
        return f"```python\n{part.source}\n```\n\n{how}"
    if part.kind == "figure":
        return f"![{part.alt}]({part.source})\n\n*{part.alt}*"
    return part.source
