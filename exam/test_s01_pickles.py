"""S01: twelve files that run code when they are unpickled, in every place that takes a file: none runs, each is refused with a sentence."""

from __future__ import annotations

import ast
import io
import os
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from danlu.errors import BAD_INPUT, DAMAGED
from exam import jobs
from exam.harness import ROOT, run, settle


class Touch:
    """Unpickling it makes the file that `path` names."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.open, (str(self.path), os.O_CREAT | os.O_WRONLY)


def old_torch(thing: Touch, path: Path) -> None:
    torch.save({"weight": thing}, path, _use_new_zipfile_serialization=False)


def new_torch(thing: Touch, path: Path) -> None:
    torch.save({"weight": thing}, path)


def plain(thing: Touch, path: Path) -> None:
    path.write_bytes(pickle.dumps(thing))


def npy(thing: Touch, path: Path) -> None:
    with open(path, "wb") as file:
        np.save(file, np.array([thing], dtype=object), allow_pickle=True)


def npz(thing: Touch, path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, x=np.array([thing], dtype=object))


def zipped(thing: Touch, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(thing))
        archive.writestr("archive/version", "3")


def tarred(thing: Touch, path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            data = pickle.dumps(thing)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


CARRIERS: dict[str, Callable[[Touch, Path], None]] = {
    "weights.pt": new_torch, "weights_old.pt": old_torch, "model.ckpt": new_torch, "pytorch_model.bin": new_torch, "very_old.pth": tarred,
    "state.pkl": plain, "model.joblib": plain, "rng_state.pth": old_torch, "optimizer.pt": new_torch, "array.npy": npy, "arrays.npz": npz,
    ".metadata": plain, "renamed.safetensors": plain, "zipped.safetensors": zipped,
}  # fmt: skip
INTO_A_RUN = ("state.json", "manifest.json", "state.safetensors", "rng_state.pth", "optimizer.pt", ".metadata")
BANNED = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


@pytest.mark.slow
def test_no_carrier_runs(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    assert_it_would_run(tmp_path)
    recipe = jobs.write(tmp_path, "mlp", steps=8)
    assert run("train", recipe, "--out", "run", "--quiet", cwd=tmp_path).code == 0
    assert run("train", "wine", "--out", "wine", "--quiet", cwd=tmp_path).code == 0
    failures, n = [], 0
    for name, carry in CARRIERS.items():
        carry(Touch(canary), tmp_path / name)
        for words in (
            ("import", name, f"out-{name}.safetensors"),
            ("train", recipe, "--from", name, "--out", f"from-{name}", "--quiet"),
            ("train", "tabular", f"data.path={name}", "data.target=y", "--out", f"table-{name}", "--quiet"),
            ("train", "text", f"data.path={name}", "--out", f"text-{name}", "--quiet"),
            ("predict", "wine", name),
            ("look", f"data.path={name}"),
            ("evaluate", name),
            ("train", name),
        ):
            n += 1
            ended = run(*words, cwd=tmp_path)
            failures += judged(f"{name}: danlu {' '.join(map(str, words[:1]))}", ended.code, ended.last, canary, ended.text)
    for name in INTO_A_RUN:
        n += 1
        folder = tmp_path / f"run-{name.strip('.')}"
        shutil.copytree(tmp_path / "run", folder)
        newest = sorted((folder / "checkpoints").glob("step-*"), key=lambda path: int(path.name[5:]))[-1]
        plain(Touch(canary), newest / name)
        for words in (("resume", folder.name), ("evaluate", folder.name), ("checkpoints", folder.name, "--verify")):
            ended = run(*words, cwd=tmp_path)
            if canary.exists() or "Traceback" in ended.text:
                failures.append(f"{name} in a run: {words[0]} ran it, or fell: {ended.last}")
                canary.unlink(missing_ok=True)
    found = unsafe_calls()
    settle("S01", n + 1, failures + found, carriers=len(CARRIERS))


def assert_it_would_run(folder: Path) -> None:
    """The payload works: where somebody unpickles it, the canary is there."""
    canary = folder / "proof"
    pickle.loads(pickle.dumps(Touch(canary)))
    assert canary.exists()


def judged(what: str, code: int, last: str, canary: Path, text: str) -> list[str]:
    if canary.exists():
        canary.unlink()
        return [f"{what}: it ran"]
    if code not in (BAD_INPUT, DAMAGED, 0) or "Traceback" in text:
        return [f"{what}: exit code {code}: {last}"]
    if code == 0 and not what.endswith("danlu look"):
        return [f"{what}: taken as if it were data: {last}"]
    return []


def unsafe_calls() -> list[str]:
    """What in danlu's own source could unpickle or execute a file: only `danlu import` may call torch.load (weights only)."""
    found = []
    for path in sorted((ROOT / "src" / "danlu").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = (
                    {alias.name.partition(".")[0] for alias in node.names}
                    if isinstance(node, ast.Import)
                    else {(node.module or "").partition(".")[0]}
                )
                found += [f"{path}:{node.lineno}: imports {name}" for name in names & BANNED if path.name != "import_weights.py"]
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            options = {word.arg: ast.unparse(word.value) for word in node.keywords}
            bad = called in ("eval", "exec", "builtins.eval", "builtins.exec", "yaml.load", "yaml.unsafe_load", "yaml.full_load")
            bad = bad or (called == "torch.load" and (options.get("weights_only") != "True" or path.name != "import_weights.py"))
            if bad or options.get("allow_pickle") == "True" or options.get("weights_only") == "False":
                found.append(f"{path}:{node.lineno}: {called}({options})")
    return found
