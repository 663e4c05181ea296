"""S06: hostile names, and links that were put where danlu writes: nothing is opened for writing but what was named and what is in it.

A user's words become a path as `--out` (which may be anywhere: then that is the root), as the name of a recipe, a run, a technique, a
checkpoint, an image or a file of Python. The names in a run folder's own files are hostile, too: the folder may be somebody else's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from danlu.folders import cache_folder
from danlu.run import checkpoint
from exam import jobs
from exam.files import inside, tree, unclear
from exam.harness import exam_only, need, need_linux, settle, size
from exam.trace import Call, read, traced

NAMES = (
    "../../escaped", "x" * 300, "a\nb", "nul\0byte", "\u202egnp.exe", "-rf", "--", "CON", "..", ".", "~nobody/x", "a\\..\\b",
    "%2e%2e%2fx", "$(touch x)", "caf\udce9", "half\ud800pair", "d/" * 2500, "dangling", "a\x1b[2Jb", "/proc/self/x",
)  # fmt: skip
RECIPE = {"model": "mlp", "data": "digits", "optimizer": "adamw", "steps": 2, "batch_size": 64, "validate": None}
CODES = (0, 2, 3, 6)


def base(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with a finished run, and one outside that nothing may change."""
    here, outside = tmp_path / "here" / "below" / "deep", tmp_path / "outside"
    here.mkdir(parents=True)
    (outside / "step-4.tmp").mkdir(parents=True)  # what a recovery would delete
    (outside / "step-4.tmp" / "work").write_text("as it was")
    (outside / "victim").write_text("as it was")
    (outside / "notes.tmp").write_text("as it was")
    os.symlink(outside / "new", here / "dangling")
    assert inside("train", jobs.write(here, "mlp", steps=12, every=6), "--no-check", "--out", "run", cwd=here).code == 0
    torch.save({"w": torch.zeros(3)}, here / "a.pt")
    (here / "small.json").write_text(json.dumps(RECIPE))
    return here, outside


def surfaces(name: str) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Commands that the name is a word of, and the path that each may make (None: none at all)."""
    yield ("train", "small.json", "--no-check", f"--out={name}"), name
    yield ("init", "digits", f"--out={name}"), name
    yield ("export", "run", "--to", "safetensors", f"--out={name}"), name
    yield ("import", "a.pt", f"{name}.safetensors"), f"{name}.safetensors"
    yield ("plot", "run", f"--out={name}.svg"), f"{name}.svg"
    yield ("evaluate", "run", f"--out={name}"), name
    yield ("train", f"{name}.yaml"), None
    yield ("train", "small.json", "--with", name), None
    yield ("train", "small.json", "--without", name), None
    yield ("train", "small.json", f"--from={name}"), None
    yield ("train", f"{name}.py:rows"), None
    yield ("train", "small.json", f"data={name}.py:rows"), None
    yield ("train", "tabular", f"data.path={name}", "data.target=y"), None
    yield ("train", "images", f"data.path={name}"), None
    yield ("export", f"run@{name}", "--to", "safetensors", "--out=out"), "out" if not name else None
    yield ("export", "run", "--to", name), None
    yield ("resume", name), None
    yield ("report", name), None
    yield ("import", name, "out.safetensors"), None
    yield ("look", name), None


def within(path: Path, roots: list[Path]) -> bool:
    return any(path == root or root in path.parents for root in roots)


@pytest.mark.slow
def test_names(tmp_path: Path) -> None:
    """What changes is the path that was asked for, and what is in it; where it is refused, nothing."""
    here, _ = base(tmp_path)
    failures, trials, made, before = [], 0, 0, tree(tmp_path)
    for number, name in enumerate(size(NAMES[:5], NAMES)):
        for place, (words, may) in enumerate(surfaces(name)):
            if not size(False, True) and (place + number) % 5 and place:
                continue
            trials += 1
            ended = inside(*words, cwd=here)
            changed = [tmp_path / key for key in {key for key, _ in set(tree(tmp_path).items()) ^ set(before.items())}]
            asked = [Path(os.path.normpath(here / may))] if may is not None and "\0" not in may else []
            if asked and within(asked[0], [tmp_path]):  # and the folders on the way to it
                asked += list(asked[0].parents)[: len(asked[0].relative_to(tmp_path).parts) - 1]
            if strays := [path for path in changed if not within(path, asked[:1]) and path not in asked]:
                failures.append(f"{words}: {strays[:2]}")
            elif wrong := unclear(ended, codes=CODES):
                failures.append(f"{words}: {wrong}")
            elif changed and ended.code:
                failures.append(f"{words}: refused, and {changed[:2]} is there: {ended.text[-200:]}")
            made += bool(changed)
            for path in sorted(changed):
                (shutil.rmtree if path.is_dir() and not path.is_symlink() else Path.unlink)(path) if os.path.lexists(path) else None
            before = before if not changed else tree(tmp_path)
    settle("S06", trials, failures, hostile_words=trials, of_which_made_what_they_asked_for=made)


@pytest.mark.slow
def test_names_of_files(tmp_path: Path) -> None:
    """Recipes, files of Python and images that are called so: all that is made lies in one folder of `runs`."""
    here, _ = base(tmp_path)
    source = "from danlu.data.bundled import Digits\n\ndef rows():\n    return Digits()()\n"
    names = [name for name in NAMES if "/" not in name and "\0" not in name and "\ud800" not in name and name not in (".", "..")]
    names = [name[:240] for name in (names if size(False, True) else names[:3])]
    trials, failures = 0, []
    for name in names:
        folder = tmp_path / "own" / str(trials)
        (folder / "images").mkdir(parents=True)
        (folder / f"{name}.json").write_text(json.dumps(RECIPE | {"data": f"{name}.py:rows"}))
        (folder / f"{name}.py").write_text(source)
        for place, label in enumerate((name, "other")):
            (folder / "images" / label).mkdir()
            for number in range(6):
                _picture(folder / "images" / label / f"{number}{name}"[:250], 40 * place + number)
        before = tree(tmp_path)
        for words in (
            (folder / f"{name}.json", "--no-check"),
            ("images", f"data.path={folder / 'images'}", "steps=2", "batch_size=4", "--no-check"),
        ):
            trials += 1
            ended = inside("train", *words, cwd=here)
            new = {Path(key).parts for key in set(tree(tmp_path)) - set(before)}
            runs = {parts[:5] for parts in new if len(parts) > 4}
            if wrong := unclear(ended, codes=(0,)):
                failures.append(f"{name!r}, {words[0]!s:.60}: {wrong}")
            elif len(runs) != 1 or any(parts[:4] != ("here", "below", "deep", "runs") for parts in new):
                failures.append(f"{name!r}: {sorted(new)[:3]}")
            shutil.rmtree(here / "runs", ignore_errors=True)
    settle("S06", trials, failures, hostile_file_names=trials)


def _picture(path: Path, shade: int) -> None:
    """A grey PNG of 8 x 8, whatever its name (which must end so)."""
    from PIL import Image

    with open(os.fsencode(str(path) + ".png"), "wb") as file:
        Image.new("L", (8, 8), shade).save(file, "PNG")


# ---- links ----

IN_A_RUN = (
    "recipe.json.tmp", "metrics.jsonl", "metrics.jsonl.tmp", "events.jsonl", "train.log", "curves.png", "curves.png.tmp", "report.html",
    "report.html.tmp", "model.safetensors", "model.safetensors.tmp", "record.json.tmp", "preprocess.json.tmp", "lock", "sources",
    "checkpoints/latest", "checkpoints/latest.tmp", "checkpoints/best.tmp", "checkpoints/step-12.tmp", "checkpoints/step-12", "checkpoints",
)  # fmt: skip
BESIDE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("out.csv", ("predict", "run", "in.csv", "--out", "out.csv")),
    ("out.csv.tmp", ("predict", "run", "in.csv", "--out", "out.csv")),
    ("out.safetensors", ("import", "a.pt", "out.safetensors")),
    ("out.safetensors.tmp", ("import", "a.pt", "out.safetensors")),
    ("out.safetensors", ("export", "run", "--to", "safetensors", "--out", "out.safetensors")),
    ("out.pt2", ("export", "run", "--to", "torch-export", "--out", "out.pt2")),
    ("out", ("evaluate", "run", "--out", "out")),
    ("out.yaml", ("init", "digits", "--out", "out.yaml")),
    ("out.svg", ("plot", "run", "--out", "out.svg")),
    ("out.svg.tmp", ("plot", "run", "--out", "out.svg")),
)


@pytest.mark.slow
def test_links(tmp_path: Path) -> None:
    """A link in a run folder, or at a name that an output or its temporary file will have, to a file, a folder and to nothing."""
    here, outside = base(tmp_path)
    (here / "in.csv").write_text(",".join(f"c{n}" for n in range(16)) + "\n" + ",".join("0" * 16) + "\n")
    assert inside("train", jobs.write(here, "mlp", steps=24, every=6, seed=2), "--no-check", "--out", "whole", cwd=here).code == 0
    shutil.copytree(here / "whole", here / "begun")
    for step in (18, 24):
        shutil.rmtree(here / "begun" / "checkpoints" / f"step-{step}", ignore_errors=True)
    failures, trials, refused, before = [], 0, 0, tree(outside)
    targets = ("victim", "", "new")
    asked: list[tuple[Path, tuple[str, ...], str]] = []
    for number, name in enumerate(IN_A_RUN if size(False, True) else IN_A_RUN[::4]):
        asked += [(here / "x" / name, ("resume", "x"), target) for target in (targets if size(False, True) else targets[number % 3 :][:1])]
    for number, (name, words) in enumerate(BESIDE if size(False, True) else BESIDE[::3]):
        asked += [(here / name, words, target) for target in (targets if size(False, True) else targets[number % 3 :][:1])]
    for place, words, target in asked:
        trials += 1
        shutil.copytree(here / "begun", here / "x")
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        os.symlink(outside / target, place)
        ended = inside(*words, cwd=here)
        refused += ended.code != 0
        if tree(outside) != before:
            failures.append(f"{words[0]}, {place.name} -> {target or 'folder'}: {set(tree(outside).items()) ^ set(before.items())}")
            shutil.rmtree(outside)
            base(tmp_path / f"again{trials}")
            shutil.copytree(tmp_path / f"again{trials}" / "outside", outside)
        elif wrong := unclear(ended, codes=CODES):
            failures.append(f"{words[0]}, {place.name} -> {target or 'folder'}: {wrong}")
        shutil.rmtree(here / "x")
        for left in here.glob("out*"):
            (shutil.rmtree if left.is_dir() and not left.is_symlink() else Path.unlink)(left)
    settle("S06", trials, failures, planted_links=trials, of_which_refused=refused)


# ---- names in the files of a run ----


def _manifest(run: Path, name: str, victim: Path) -> None:
    newest = run / "checkpoints" / checkpoint.named(run / "checkpoints", "latest").name  # type: ignore[union-attr]
    body = json.loads((newest / "manifest.json").read_text())
    body.pop("digest")
    body["files"][name] = [victim.stat().st_size, "0" * 64]
    (newest / "manifest.json").write_bytes(checkpoint._sealed(body))


def _pointer(which: str) -> Callable[[Path, str, Path], None]:
    return lambda run, name, victim: (run / "checkpoints" / which).write_bytes(os.fsencode(name) + b"\n") and None


def _logged(run: Path, name: str, victim: Path) -> None:
    with (run / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"event": "checkpoint", "step": name, "best": name}) + "\n")


def _recorded(run: Path, name: str, victim: Path) -> None:
    record = json.loads((run / "record.json").read_text())
    record["attempts"][-1]["sources"] = [{"path": name, "sha256": "0" * 64, "kept": name}]
    (run / "record.json").write_text(json.dumps(record | {"name": name}))


@pytest.mark.slow
def test_names_in_a_run(tmp_path: Path) -> None:
    """Of checkpoints and their files, of the run and its sources: a run folder that somebody sent."""
    here, outside = base(tmp_path)
    changes = {"manifest": _manifest, "latest": _pointer("latest"), "best": _pointer("best"), "events": _logged, "record": _recorded}
    names = ["../../../outside/victim", str(outside / "victim"), "..", "", ".", "step-4/../../..", "step-4\n../..", "x" * 300, "a\0b"]
    if not size(False, True):
        names = names[:2]
    failures, trials, before = [], 0, tree(outside)
    commands: tuple[tuple[str, ...], ...] = (
        ("resume", "x"), ("evaluate", "x@latest"), ("export", "x@best", "--to", "safetensors", "--out", "out"), ("checkpoints", "x"),
        ("report", "x"),
    )  # fmt: skip
    for change in changes.values():
        for name in names:
            shutil.copytree(here / "run", here / "x")
            change(here / "x", name, outside / "victim")
            whole = tree(tmp_path)
            for words in commands if size(False, True) else commands[:2]:
                trials += 1
                ended = inside(*words, cwd=here)
                changed = [tmp_path / key for key, _ in set(tree(tmp_path).items()) ^ set(whole.items())]
                if strays := [path for path in changed if not within(path, [here / "x", here / "out"])]:
                    failures.append(f"{words}, {name!r}: {strays[:2]}")
                elif wrong := unclear(ended, codes=(*CODES, 7)):
                    failures.append(f"{words}, {name!r}: {wrong}")
                (here / "out").unlink(missing_ok=True)
            shutil.rmtree(here / "x")
    failures += ["what is outside was changed"] if tree(outside) != before else []
    settle("S06", trials, failures, hostile_names_in_run_folders=trials)


# ---- what the system is asked for ----

WRITING = (
    "openat", "open", "creat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "link", "linkat",
    "symlink", "symlinkat", "truncate", "chmod", "fchmodat", "mknod", "mknodat",
)  # fmt: skip
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')


def written(calls: Iterator[Call], cwd: Path) -> Iterator[Path]:
    """Every path that a call opens for writing, makes, renames or takes away, whether that succeeds or not."""
    for call in calls:
        if call.name in ("open", "openat") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", call.arguments):
            continue
        if not call.result.startswith("-1 EEXIST"):  # a folder that was there already
            for start, text in _PATH.findall(call.arguments):
                path = Path(os.path.normpath(Path(_unescaped(start) or cwd, _unescaped(text))))
                yield path.parent.resolve() / path.name


def _unescaped(text: str) -> str:
    """A path as strace writes it."""
    return os.fsdecode(text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1"))


@exam_only
@pytest.mark.slow
def test_what_is_opened(tmp_path: Path) -> None:
    need("strace")
    need_linux()
    failures, trials, seen = [], 0, 0
    cases: list[tuple[str, str]] = []
    for name in ("../../up", "a\nb", "\u202egnp", "-rf", "CON", "a\\..\\b", "$(touch x)", "%2e%2e%2fx", "caf\udce9", "linked"):
        cases.append((f"--out={name}", name))
    for name in ("../job", "a\nb", "\u202egnp", "-rf", "CON", "x" * 200):
        cases.append((name, "runs"))
    for number, (given, root) in enumerate(cases):
        workers = 2 * (number % 2)
        trials += 1
        folder = (tmp_path / str(trials) / "a" / "b").resolve()
        folder.mkdir(parents=True)
        (folder.parents[1] / "elsewhere").mkdir()
        os.symlink(folder.parents[1] / "elsewhere", folder / "linked")  # the run folder itself may be a link
        recipe = jobs.write(folder, "mlp", steps=12, workers=workers, background=workers == 0)
        if not given.startswith("--out="):
            recipe = recipe.rename(folder / f"{given}.yaml")
            words: tuple[Any, ...] = ("--", recipe)
        else:
            words = (recipe, given)
        ended = traced("train", *words, cwd=folder, hook=("pause", {}), calls=WRITING)
        roots = [(folder / root).resolve(), cache_folder(), Path("/dev/null"), Path("/dev/shm")]
        paths = list(written(read(folder / "trace"), folder))
        seen += len(paths)
        workers_own = re.compile(re.escape(tempfile.gettempdir()) + r"/pymp-\w+(/.*)?")  # new folders with names that nobody knows before
        if strays := sorted({str(path) for path in paths if not within(path, roots) and not workers_own.fullmatch(str(path))}):
            failures.append(f"{given!r}: {strays[:3]}")
        elif ended.code or not any(within(path, roots[:1]) for path in paths):
            failures.append(f"{given!r}: exit code {ended.code}, {len(paths)} paths: {ended.last}")
    settle("S06", trials, failures, runs_under_strace=trials, paths_opened_for_writing=seen)
