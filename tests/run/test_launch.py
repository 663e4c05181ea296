"""One recipe on several processes: the same run folder, the same bits again after anything, sentences for what cannot be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from danlu.cli.main import main
from danlu.errors import BAD_INPUT, LOST, REFUSED, SAVED_RUN_AGAIN, BadInput
from danlu.placement.processes import seat
from danlu.run.launch import Plan, command_line

RECIPE = ["wine", "epochs=150", "precision=fp64", "batch_size=32", "micro_batch_size=8", "checkpoint.every=20", "--with", "checkpoint"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def started(*words: str, cwd: Path) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-m", *words], cwd=cwd, env=ENVIRONMENT, text=True, **pipes)


def launched(*words: str, cwd: Path, out: str = "run") -> tuple[int, str]:
    process = started("danlu", "launch", *RECIPE, *words, "--out", out, "--no-check", "--quiet", cwd=cwd)
    text = "".join(process.communicate(timeout=240))
    return process.returncode, text


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run of two processes that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole")
    code, text = launched(cwd=folder)
    assert code == 0, text
    return folder / "run"


def reached(run: Path, step: int) -> None:
    """Wait until the run has logged a step."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        lines = (run / "metrics.jsonl").read_text().splitlines() if (run / "metrics.jsonl").exists() else []
        if any(json.loads(line).get("step", 0) >= step for line in lines[:-1]):
            return
        time.sleep(0.05)
    raise AssertionError(f"step {step} was not reached")


def bits(run: Path) -> bytes:
    return (run / "model.safetensors").read_bytes()


def far(run: Path, other: Path) -> float:
    """The largest difference of two runs' weights."""
    a, b = load_file(run / "model.safetensors"), load_file(other / "model.safetensors")
    return max(float(abs(a[name] - b[name]).max()) for name in a)


@pytest.mark.slow
def test_two_processes_end_where_one_does(whole, tmp_path):
    process = started("danlu", "train", *RECIPE, "--out", "run", "--no-check", "--quiet", cwd=tmp_path)
    assert process.wait(240) == 0
    assert far(whole, tmp_path / "run") < 1e-9
    ours, theirs = (json.loads((run / "metrics.jsonl").read_text().splitlines()[-1]) for run in (whole, tmp_path / "run"))
    assert {name: pytest.approx(value, abs=1e-9) for name, value in ours.items() if name.startswith("test_")} == {
        name: value for name, value in theirs.items() if name.startswith("test_")
    }
    assert "follows from step 0" in (whole / "rank-1.log").read_text()


def rank_one(parent: int) -> int:
    """The process that was started as number 1."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"PPid:\t{parent}\n" in (folder / "status").read_text() and b"\0RANK=1\0" in (folder / "environ").read_bytes():
                return int(folder.name)
        except OSError:
            continue
    raise AssertionError("no such process")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the process in /proc")
def test_a_process_that_is_killed_ends_all_and_the_run_goes_on_bit_for_bit(whole, tmp_path):
    process = started("danlu", "launch", *RECIPE, "--out", "run", "--no-check", "--quiet", cwd=tmp_path)
    reached(tmp_path / "run", 50)
    os.kill(rank_one(process.pid), signal.SIGKILL)
    text = "".join(process.communicate(timeout=60))
    assert process.returncode == LOST, text
    assert "process 0: another process of this training is gone" in text
    code, text = launched(cwd=tmp_path)
    assert code == 0, text
    assert bits(tmp_path / "run") == bits(whole)


@pytest.mark.slow
def test_a_signal_saves_and_stops_all_and_the_run_goes_on_bit_for_bit(whole, tmp_path):
    process = started("danlu", "launch", *RECIPE, "--out", "run", "--no-check", "--quiet", cwd=tmp_path)
    reached(tmp_path / "run", 30)
    process.send_signal(signal.SIGTERM)
    text = "".join(process.communicate(timeout=60))
    assert process.returncode == SAVED_RUN_AGAIN, text
    assert "saved" in text
    code, text = launched(cwd=tmp_path)
    assert code == 0, text
    assert bits(tmp_path / "run") == bits(whole)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the process in /proc")
def test_weights_in_parts_go_on_bit_for_bit_after_a_kill(tmp_path):
    """The first process writes; the other takes part in every save, that of the average too."""
    words = ["placement=fsdp", "epochs=40", "--with", "ema", "checkpoint.background=true"]
    code, text = launched(*words, cwd=tmp_path, out="once")
    assert code == 0, text
    process = started("danlu", "launch", *RECIPE, *words, "--out", "run", "--no-check", "--quiet", cwd=tmp_path)
    reached(tmp_path / "run", 50)
    os.kill(rank_one(process.pid), signal.SIGKILL)
    text = "".join(process.communicate(timeout=60))
    assert process.returncode == LOST, text
    code, text = launched(*words, cwd=tmp_path)
    assert code == 0, text
    assert bits(tmp_path / "run") == bits(tmp_path / "once")
    assert load_file(tmp_path / "run" / "model.safetensors").keys() == load_file(tmp_path / "once" / "model.safetensors").keys()


@pytest.mark.slow
def test_torchrun_starts_the_same_run(whole, tmp_path):
    words = [
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        "0",
        "--rdzv-backend",
        "c10d",
        "--rdzv-endpoint",
        "localhost:0",
    ]
    process = started(*words, "-m", "danlu", "train", *RECIPE, "placement=ddp", "--out", "run", "--no-check", "--quiet", cwd=tmp_path)
    text = "".join(process.communicate(timeout=240))
    assert process.returncode == 0, text
    assert bits(tmp_path / "run") == bits(whole)


@pytest.mark.slow
def test_two_machines_with_two_processes_each_and_a_finished_run(whole, tmp_path):
    words = [
        "danlu",
        "launch",
        *RECIPE,
        "--nproc-per-node",
        "2",
        "--nnodes",
        "2",
        "--meet",
        "127.0.0.1:29611",
        "--out",
        "run",
        "--no-check",
    ]
    machines = [started(*words, "--quiet", "--node", str(node), cwd=tmp_path) for node in (0, 1)]
    texts = ["".join(machine.communicate(timeout=240)) for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], texts
    assert far(tmp_path / "run", whole) < 1e-9
    assert {path.name for path in (tmp_path / "run").glob("rank-*.log")} == {"rank-1.log", "rank-2.log", "rank-3.log"}
    before, lines = bits(tmp_path / "run"), (tmp_path / "run" / "metrics.jsonl").read_text()
    code, text = launched("--processes", "4", cwd=tmp_path)
    assert code == 0, text
    assert bits(tmp_path / "run") == before
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == lines


@pytest.mark.slow
def test_what_all_refuse_is_said_once(tmp_path):
    code, text = launched("model.width=-1", cwd=tmp_path)
    assert code == BAD_INPUT
    assert text.count("model.width") == 1


def test_many_processes_and_a_placement_for_one(monkeypatch, capsys, tmp_path):
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    assert main(["train", "wine", "--out", str(tmp_path / "run")]) == REFUSED
    assert "placement=ddp" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--processes", "0"], "--processes must be a whole number of at least 1, not `0`"),
        (["--nproc-per-node", "two"], "not `two`"),
        (["--nodes", "2"], "--meet HOST:PORT"),
        (["--nodes", "2", "--node", "2", "--meet", "a:1"], "numbered from 0 to 1"),
        (["--meet", "nowhere"], "not `nowhere`"),
        (["placement=single"], "for one process"),
    ],
)
def test_what_cannot_be_launched(words, said, capsys):
    assert main(["launch", "wine", *words]) in (BAD_INPUT, REFUSED)
    assert said in capsys.readouterr().err


def test_a_dry_run_prints_a_line_for_each_process_of_this_machine(capsys):
    words = [
        "launch",
        "wine",
        "optimizer.lr=0.1",
        "--with",
        "clip(max_norm=1)",
        "--nodes",
        "2",
        "--node",
        "1",
        "--meet",
        "far:29500",
        "--dry-run",
    ]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "RANK=2 WORLD_SIZE=4 LOCAL_RANK=0 LOCAL_WORLD_SIZE=2 MASTER_ADDR=far MASTER_PORT=29500" in lines[0]
    assert lines[1].endswith("-m danlu train wine optimizer.lr=0.1 placement=ddp --no-check --with 'clip(max_norm=1)'")


def test_who_a_process_is():
    meeting = {"MASTER_ADDR": "h", "MASTER_PORT": "1"}
    assert seat({}) == (0, 1, 0)
    assert seat({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", **meeting}) == (3, 4, 1)
    assert seat({"SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_LOCALID": "0", **meeting}) == (1, 2, 0)
    for wrong in ({"RANK": "4", "WORLD_SIZE": "4"}, {"RANK": "x", "WORLD_SIZE": "4"}):
        with pytest.raises(BadInput, match="no process among several"):
            seat(wrong | meeting)
    with pytest.raises(BadInput, match="not where they meet"):
        seat({"RANK": "1", "WORLD_SIZE": "4"})


def test_the_command_line_of_a_process():
    assert "RANK=1 WORLD_SIZE=2" in command_line(Plan(2), 1, ["train", "wine"])
