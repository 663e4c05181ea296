"""What clusters are told, tried: the scripts run with stand-ins for Slurm's commands and under the variables that Kubernetes sets."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from danlu.cli.main import main
from danlu.errors import speak
from danlu.run.launch import Plan
from danlu.run.manifests import kubernetes, ray, slurm

pytestmark = pytest.mark.skipif(os.name == "nt", reason="shell scripts")

WORDS = ["wine", "steps=6", "batch_size=8", "placement=ddp", "--out", "run one"]
SRUN = """#!/bin/sh
# $FAKE_NTASKS of the command, each knowing its place as Slurm says it
k=0; pids=""
while [ "$k" -lt "$FAKE_NTASKS" ]; do
    SLURM_PROCID=$k SLURM_NTASKS=$FAKE_NTASKS SLURM_LOCALID=$k "$@" & pids="$pids $!"; k=$((k + 1))
done
code=0
for pid in $pids; do wait "$pid" || code=$?; done
exit $code
"""
SCONTROL = """#!/bin/sh
case "$1" in show) echo 127.0.0.1;; *) echo "$@" > asked;; esac
"""


def commands(folder, **scripts):
    """An environment in which these commands come first."""
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    base = {key: value for key, value in os.environ.items() if key not in ("RANK", "WORLD_SIZE")}
    return {**base, "PATH": f"{folder}:{os.path.dirname(sys.executable)}:{base['PATH']}", "OMP_NUM_THREADS": "1"}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def script_of(job):
    return json.loads(job)["spec"]["pytorchReplicaSpecs"]["Master"]["template"]["spec"]["containers"][0]["command"][2]


def steps(folder):
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


DANLU = f'#!/bin/sh\nexec {sys.executable} -m danlu "$@"\n'


@pytest.mark.slow
def test_slurm_script_trains_on_all_tasks(tmp_path):
    environment = commands(tmp_path, srun=SRUN, scontrol=SCONTROL, danlu=DANLU)
    environment |= {"SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "here", "FAKE_NTASKS": "2"}
    script = slurm(Plan(2, port=free_port()), WORDS)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert steps(tmp_path / "run one")[-1] == 6
    assert (tmp_path / "run one" / "rank-1.log").exists()
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("code", [75, 3])
def test_slurm_is_asked_again_only_for_what_was_saved(tmp_path, code):
    environment = commands(tmp_path, srun=f"#!/bin/sh\nexit {code}\n", scontrol=SCONTROL) | {"SLURM_JOB_ID": "7"}
    done = subprocess.run(["bash", "-c", slurm(Plan(2, 2), ["wine"])], cwd=tmp_path, env=environment)
    assert done.returncode == code
    assert (tmp_path / "asked").exists() == (code == 75)
    assert code != 75 or (tmp_path / "asked").read_text().split() == ["requeue", "7"]


def test_slurm_folder_is_of_the_job_that_is_put_back(tmp_path):
    environment = commands(tmp_path, srun='#!/bin/sh\necho "$@" "$MASTER_ADDR" "$MASTER_PORT"\n', scontrol=SCONTROL) | {
        "SLURM_JOB_ID": "71234"
    }
    done = subprocess.run(["bash", "-c", slurm(Plan(4, 2), ["wine"])], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["danlu", "train", "wine", "--out", "runs/job-71234", "--no-check", "127.0.0.1", "31234"]


@pytest.mark.slow
def test_kubernetes_pod_trains(tmp_path):
    environment = commands(tmp_path, danlu=DANLU) | {"RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    script = script_of(kubernetes(Plan(2), WORDS))
    done = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert steps(tmp_path / "run one")[-1] == 6


@pytest.mark.parametrize("code, seen", [(0, 0), (75, 143), (9, 143), (2, 2), (5, 5)])
def test_a_pod_is_started_again_only_where_that_helps(tmp_path, code, seen):
    """The operator starts a pod again whose exit code is 128 or more."""
    environment = commands(tmp_path, danlu=f"#!/bin/sh\nexit {code}\n") | {"RANK": "0"}
    assert subprocess.run(["/bin/sh", "-c", script_of(kubernetes(Plan(2), ["wine"]))], env=environment).returncode == seen


def test_a_pod_that_is_asked_to_end_waits_for_the_save(tmp_path):
    slow = "#!/bin/sh\ntrap 'sleep 0.3; touch saved; exit 75' TERM\ntouch here\nwhile :; do sleep 0.05; done\n"
    environment = commands(tmp_path, danlu=slow) | {"RANK": "0"}
    pod = subprocess.Popen(["/bin/sh", "-c", script_of(kubernetes(Plan(2), ["wine"]))], env=environment, cwd=tmp_path)
    until = time.monotonic() + 20
    while not (tmp_path / "here").exists() and time.monotonic() < until:
        time.sleep(0.02)
    pod.send_signal(signal.SIGTERM)
    assert pod.wait(20) == 143 and (tmp_path / "saved").exists()


def test_replicas_are_the_machines():
    replicas = lambda nodes: {
        name: spec["replicas"] for name, spec in json.loads(kubernetes(Plan(4, nodes), ["wine"]))["spec"]["pytorchReplicaSpecs"].items()
    }
    assert replicas(1) == {"Master": 1} and replicas(3) == {"Master": 1, "Worker": 2}


def test_ray_program_asks_for_all_processes():
    text = ray(Plan(4, 2), ["wine", "optimizer.lr=0.1"])
    compile(text, "ray", "exec")
    assert "num_workers=8" in text and '"/runs/danlu"' in text


def test_only_what_is_known_and_only_printed(capsys):
    speak("en")
    assert main(["launch", "wine", "--processes", "2", "--for", "pbs", "--dry-run"]) == 2
    assert "slurm, kubernetes, ray" in capsys.readouterr().err
    assert main(["launch", "wine", "--processes", "2", "--for", "slurm"]) == 2
    assert "--dry-run" in capsys.readouterr().err
    assert main(["launch", "wine", "--processes", "2", "--nodes", "3", "--for", "slurm", "--dry-run"]) == 0
    assert "#SBATCH --nodes=3" in capsys.readouterr().out
