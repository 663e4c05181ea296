"""What a cluster is told to start the same training: a Slurm script, a Kubernetes PyTorchJob, or a program for Ray.

Who the processes are and where they meet is what the cluster says in the environment (`placement.processes`). Where the cluster can, it
starts the training again after exit code 75 ("saved, run me again"). `words`: recipe, settings and flags of `danlu train`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence

from danlu.errors import LOST, SAVED_RUN_AGAIN
from danlu.run.launch import Plan

GRACE = 120  # seconds that a job has to save before it is ended


def slurm(plan: Plan, words: Sequence[str]) -> str:
    """For `sbatch`. A job that is asked to end saves first, and is put back into the queue; its folder keeps the job's number."""
    own = shlex.join(words) + ("" if "--out" in words else ' --out "runs/job-$SLURM_JOB_ID"')
    return f"""#!/bin/bash
#SBATCH --job-name=danlu
#SBATCH --nodes={plan.nodes}
#SBATCH --ntasks-per-node={plan.processes}
#SBATCH --signal=USR1@{GRACE}
#SBATCH --requeue
#SBATCH --open-mode=append

export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export MASTER_PORT={plan.port or "$((10000 + SLURM_JOB_ID % 50000))"}

srun danlu train {own} --no-check
code=$?
if [ "$code" -eq {SAVED_RUN_AGAIN} ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"""


def kubernetes(plan: Plan, words: Sequence[str]) -> str:
    """A PyTorchJob of the Kubeflow training operator (kubeflow.org/v1), for `kubectl apply -f`. IMAGE and the volume are to be filled in.

    The operator starts a pod again whose exit code is 128 or more. A pod that is asked to end has time to save.
    """
    own = shlex.join([*words, *([] if "--out" in words else ["--out", "/runs/danlu"])])
    script = f"""trap 'kill -TERM "$child"' TERM
danlu launch {own} --processes {plan.processes} --nodes {plan.nodes} --node "${{PET_NODE_RANK:-$RANK}}" --meet "$MASTER_ADDR:$MASTER_PORT" &
child=$!
wait "$child"; code=$?
if [ "$code" -gt 128 ]; then wait "$child"; code=$?; fi
case "$code" in {SAVED_RUN_AGAIN}|{LOST}) exit 143;; esac
exit "$code"
"""
    mount = {"name": "runs", "mountPath": "/runs"}
    container = {"name": "pytorch", "image": "IMAGE", "command": ["/bin/sh", "-c", script], "volumeMounts": [mount]}
    volume = {"name": "runs", "persistentVolumeClaim": {"claimName": "runs"}}
    pod = {"spec": {"terminationGracePeriodSeconds": GRACE, "containers": [container], "volumes": [volume]}}
    replicas = {"Master": 1, "Worker": plan.nodes - 1}
    job = {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "danlu"},
        "spec": {
            "pytorchReplicaSpecs": {
                name: {"replicas": count, "restartPolicy": "ExitCode", "template": pod} for name, count in replicas.items() if count
            }
        },
    }
    return json.dumps(job, indent=2, ensure_ascii=False) + "\n"


def ray(plan: Plan, words: Sequence[str]) -> str:
    """A program for `ray job submit --working-dir . -- python FILE`; Ray Train starts the processes and tells them where to meet.

    /runs, where it writes if nothing else is said, stands for a folder that all machines share.
    """
    own = ["train", *words, "--no-check", *([] if "--out" in words else ["--out", "/runs/danlu"])]
    return f'''"""ray job submit --working-dir . -- python THIS_FILE"""

from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer


def train(settings):
    from danlu.cli.main import main

    code = main(settings["arguments"])
    if code:
        raise RuntimeError(f"danlu ended with exit code {{code}}")


if __name__ == "__main__":
    import torch

    TorchTrainer(
        train,
        train_loop_config={{"arguments": {json.dumps(own, ensure_ascii=False)}}},
        scaling_config=ScalingConfig(num_workers={plan.processes * plan.nodes}, use_gpu=torch.cuda.is_available()),
        run_config=RunConfig(failure_config=FailureConfig(max_failures=3)),
    ).fit()
'''


MANIFESTS: Mapping[str, Callable[[Plan, Sequence[str]], str]] = {"slurm": slurm, "kubernetes": kubernetes, "ray": ray}
