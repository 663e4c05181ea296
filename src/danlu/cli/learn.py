"""`danlu learn`: the paths, a lesson to read, to run, to open as a notebook, to be asked about, and exercises that check themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from danlu import messages
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.text import aligned, wrapped
from danlu.errors import BAD_INPUT, BadInput, language, say
from danlu.find import hint
from danlu.find.names import Phrase

if TYPE_CHECKING:
    from danlu.learn.lesson import Lesson
    from danlu.learn.progress import Done

SEEDS = Flag("--seeds", messages.FLAG_SEEDS, "N")
RECORD = Flag("--record", messages.FLAG_RECORD)
ALL = Flag("--all", messages.FLAG_ALL)
COMMAND = Command(
    "learn",
    messages.ABOUT_LEARN,
    "[open|run|quiz|check|lint|verify|stamp] [LESSON...]",
    most=None,
    flags=(SEEDS, RECORD, ALL),
    more=messages.MORE_LEARN,
)


def run(words: list[str], given: Given) -> int:
    if not words:
        print(overview())
        return 0
    verb, *rest = words
    if verb in _VERBS:
        return _VERBS[verb](rest, given)
    return _read(words)


# ---- for learners ----


def overview() -> str:
    """The paths with what is finished of each, and what to do next."""
    from danlu.learn import lesson, progress, shelf

    there, kept, wide = shelf.folders(), progress.read(), columns()
    lessons = {id_: lesson.read(folder) for id_, folder in there.items()}
    done = {id_ for id_, each in lessons.items() if kept.get(id_, progress.Done()).finished(each)}
    blocks = []
    for path in shelf.paths():
        here = [id_ for id_ in path.planned if id_ in lessons]
        count = say(messages.LEARN_WRITTEN, planned=len(path.planned), there=len(here), done=len(done.intersection(here)))
        rows = [(f"{id_} {'✓' if id_ in done else '·'}", _line(lessons[id_], kept.get(id_, progress.Done()), id_ in done)) for id_ in here]
        ends = [f"  {line}" for line in wrapped(say(messages.LEARN_EXIT, task=say(path.exit_task)), wide - 2)]
        head = "\n".join(wrapped(f"{say(path.title)} ({path.id}) · {say(path.about)}{' ' if language() == 'en' else ''}{count}", wide))
        blocks.append("\n".join([head, *([aligned(rows, wide)] if rows else []), *ends]))
    ahead = next((id_ for path in shelf.paths() for id_ in path.planned if id_ in lessons and id_ not in done), None)
    last = say(messages.LEARN_NEXT, id=ahead, title=say(lessons[ahead].title)) if ahead else say(messages.LEARN_ALL_DONE)
    return "\n\n".join([*blocks, last])


def _line(lesson: Lesson, done: Done, finished: bool) -> str:
    state = say(messages.LEARN_DONE) if finished else "  ".join(_steps(lesson, done))
    return say(messages.LEARN_LINE, title=say(lesson.title), question=say(lesson.question)) + (f"  [{state}]" if state else "")


def _steps(lesson: Lesson, done: Done) -> Iterator[str]:
    if done.opened:
        yield say(messages.LEARN_STATE_OPENED)
    if done.quiz:
        yield say(messages.LEARN_STATE_QUIZ, right=done.quiz[0], of=done.quiz[1])
    if done.ran:
        yield say(messages.LEARN_STATE_RAN)
    if done.exercises:
        yield say(messages.LEARN_STATE_EXERCISES, passed=len(done.exercises), of=len(lesson.exercises))


def _read(words: list[str]) -> int:
    """The page in the terminal, where nothing can be folded away: the answers are left to the quiz."""
    from rich.console import Console
    from rich.markdown import Markdown

    from danlu.learn import page, shelf

    try:
        found = shelf.find(words[0])
    except BadInput as error:
        if error.sentence is messages.LESSON_UNKNOWN:
            raise BadInput(messages.LEARN_UNKNOWN, word=words[0], hint=hint(words[0], [*_VERBS, *shelf.words()])) from error
        raise
    unsaid = re.sub(r"<details>.*?</details>", f"`danlu learn quiz {found.id}`", page.markdown(found, language()), flags=re.S)
    Console(width=columns()).print(Markdown(page.formulas_kept(unsaid)))
    return 0


def _open(words: list[str], given: Given) -> int:
    from danlu.learn import notebook, progress, shelf

    found = shelf.find(_one("open", words))
    notebook.copy(found, language(), Path.cwd())
    progress.opened(found.id)
    print(notebook.opened(found))
    return 0


def _run(words: list[str], given: Given) -> int:
    from danlu.folders import data_folder
    from danlu.learn import measure, page, progress, shelf
    from danlu.study.results import Results

    found, seeds = shelf.find(_one("run", words)), _seeds(given)
    out = found.folder if given["--record"] else data_folder() / "lessons" / found.name
    out.mkdir(parents=True, exist_ok=True)
    print(say(messages.LEARN_RUNNING, id=found.id, title=say(found.title), seeds=seeds), flush=True)
    cost = measure.run(found, out, seeds, offline=given["--record"])
    (out / "cost.json").unlink()
    results = Results.read(out / "results.json")
    for name in found.claims:
        verdict = results.verdicts[name]
        said = f"{say(page.WORDS[verdict.word])}: {say(found.claims[name].statement)} {say(verdict.reason)}"
        print("\n" + "\n".join(wrapped(said, columns())))
    if not given["--record"]:
        progress.ran(found.id)
    print("\n" + say(messages.LEARN_RAN, seconds=cost.cpu_seconds, folder=out))
    return 0


def _quiz(words: list[str], given: Given) -> int:
    from danlu.learn import page, progress, shelf

    found = shelf.find(_one("quiz", words))
    score = 0
    plain = lambda said: page.powers(page.short(found, said, language()))
    for question in found.quiz:
        letters = [chr(ord("a") + place) for place in range(len(question.choices))]
        print("\n".join(wrapped(plain(question.ask), columns())))
        print(aligned(zip(letters, (plain(choice.says) for choice in question.choices)), columns()))
        answer = ""
        while answer not in letters:
            try:
                answer = input(say(messages.LEARN_QUIZ_ASK, letters="/".join(letters))).strip().lower()
            except EOFError as error:
                print()
                raise BadInput(messages.LEARN_QUIZ_ENDED) from error
        right = question.right(found.results)
        chosen, best = question.choices[letters.index(answer)], question.choices[right]
        score += chosen is best
        why = plain(chosen.why)
        values = {
            "letter": letters[right],
            "says": plain(best.says),
            "right": plain(best.why),
        }
        said = say(messages.LEARN_QUIZ_RIGHT, why=why) if chosen is best else say(messages.LEARN_QUIZ_WRONG, why=why, **values)
        print("\n".join(wrapped(said, columns())) + "\n")
    progress.answered(found.id, score, len(found.quiz))
    print(say(messages.LEARN_QUIZ_SCORE, right=score, of=len(found.quiz), id=found.id))
    return 0


def _check(words: list[str], given: Given) -> int:
    from danlu.learn import progress, shelf

    if not words:
        raise BadInput(messages.LEARN_NEEDS, word="check", example="03.1")
    found = shelf.find_exercise(words[0])
    places = [Path(word) for word in words[1:2]] or [Path(found.folder.name) / found.given_name, Path(found.given_name)]
    file = next((path for path in places if path.is_file()), None)
    if file is None:
        raise BadInput(messages.LEARN_NO_ANSWER_FILE, file=places[0], lesson=found.id.partition(".")[0], id=found.id)
    answer = found.check_file(file)
    if answer.right:
        progress.passed(found.id)
        print(say(messages.EXERCISE_RIGHT, id=found.id))
        return 0
    print(say(messages.EXERCISE_WRONG, id=found.id, hint=answer))
    return BAD_INPUT


# ---- for those who write lessons ----


def _lint(words: list[str], given: Given) -> int:
    from danlu.learn import verify

    return _judged(words, verify.problems)


def _verify(words: list[str], given: Given) -> int:
    from danlu.learn import verify

    seeds, always = _seeds(given), bool(given["--all"] or given["--seeds"] or words)

    def problems(lesson: Lesson) -> list[Phrase]:
        found = verify.problems(lesson)
        return found or [*verify.rerun(lesson, seeds)] if always or verify.stale(lesson) else found

    return _judged(words, problems)


def _judged(words: list[str], problems: Callable[[Lesson], list[Phrase]]) -> int:
    from danlu.learn import lesson, shelf

    bad = 0
    for found in [shelf.find(word) for word in words] or [lesson.read(folder) for folder in shelf.folders().values()]:
        wrong = problems(found)
        bad += bool(wrong)
        print("\n".join(map(str, wrong)) or say(messages.LEARN_GOOD, id=found.id), flush=True)
    return BAD_INPUT if bad else 0


def _stamp(words: list[str], given: Given) -> int:
    from danlu.learn import shelf, text

    found = shelf.find(_one("stamp", words))
    chinese = found.texts["zh"].path
    chinese.write_text(text.stamp(found.texts["en"], found.texts["zh"]), "utf-8")
    print(say(messages.LEARN_STAMPED, path=chinese))
    return 0


def _one(verb: str, words: list[str]) -> str:
    if len(words) > 1:
        raise BadInput(messages.TOO_MANY_WORDS, name="learn", found=words[1])
    if not words:
        raise BadInput(messages.LEARN_NEEDS, word=verb, example="03")
    return words[0]


def _seeds(given: Given) -> int:
    from danlu.learn.measure import SEEDS as usual

    if given["--seeds"] is None:
        return usual
    if not given["--seeds"].isdigit() or int(given["--seeds"]) < usual:
        raise BadInput(messages.LEARN_FEW_SEEDS, least=usual, found=given["--seeds"])
    return int(given["--seeds"])


_VERBS: dict[str, Callable[[list[str], Given], int]] = {
    "open": _open, "run": _run, "quiz": _quiz, "check": _check, "lint": _lint, "verify": _verify, "stamp": _stamp,
}  # fmt: skip
