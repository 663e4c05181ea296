"""`danlu launch`: trains a recipe on several processes of this machine, or on this machine's share of several."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from danlu import messages
from danlu.cli.parse import Command, Flag, Given
from danlu.cli.recipe import CHANGES, asked
from danlu.cli.train import ACCEPT, FROM, JSON, LIMIT, NO_CHECK, OUT, QUIET
from danlu.errors import BadInput, Refused

PROCESSES = Flag("--processes", messages.FLAG_PROCESSES, "N")
NODES = Flag("--nodes", messages.FLAG_NODES, "N")
NODE = Flag("--node", messages.FLAG_NODE, "K")
MEET = Flag("--meet", messages.FLAG_MEET, "HOST:PORT")
DRY = Flag("--dry-run", messages.FLAG_DRY_RUN)
FOR = Flag("--for", messages.FLAG_FOR, "slurm|kubernetes|ray")
SAME = {"--nproc-per-node": "--processes", "--nnodes": "--nodes", "--node-rank": "--node"}  # torchrun's names
ALIASES = tuple(Flag(name, messages.FLAG_TORCHRUN, "N") for name in SAME)
FLAGS = (PROCESSES, NODES, NODE, MEET, DRY, FOR, *CHANGES, FROM, OUT, NO_CHECK, LIMIT, ACCEPT, JSON, QUIET, *ALIASES)
COMMAND = Command("launch", messages.ABOUT_LAUNCH, "RECIPE [field=value ...]", 1, None, FLAGS, messages.MORE_LAUNCH)


def run(words: list[str], given: Given) -> int:
    from danlu.placement.ddp import DDP
    from danlu.placement.spmd import Spmd
    from danlu.run.launch import Plan, command_line, launch

    for other, name in SAME.items():
        given[name] = given[name] if given[name] is not None else given[other]
    recipe = asked(words, given)
    setting = []
    if recipe.placement is None:
        recipe, setting = replace(recipe, placement=DDP()), ["placement=ddp"]
    if not isinstance(recipe.placement, Spmd):
        raise Refused(messages.LAUNCH_PLACEMENT, placement=type(recipe.placement).__name__.lower())
    processes, nodes, node = (_number(given, flag, least, other) for flag, least, other in (
        ("--processes", 1, 2), ("--nodes", 1, 1), ("--node", 0, 0),
    ))  # fmt: skip
    if node >= nodes:
        raise BadInput(messages.LAUNCH_NODE, node=node, nodes=nodes, last=nodes - 1)
    if given["--for"] is not None:
        print(_manifest(given, Plan(processes, nodes), [*words, *setting, *_passed_on(given)]), end="")
        return 0
    if nodes > 1 and not given["--meet"]:
        raise BadInput(messages.LAUNCH_MEET, nodes=nodes)
    host, _, port = (given["--meet"] or "").rpartition(":")
    if given["--meet"] and not (host and port.isdigit() and 0 < int(port) < 65536):
        raise BadInput(messages.LAUNCH_MEET_WHAT, found=given["--meet"])
    plan = Plan(processes, nodes, node, host or "127.0.0.1", int(port or 0))
    arguments = ["train", *words, *setting, "--no-check", *_passed_on(given)]
    if given["--dry-run"]:
        print("\n".join(command_line(plan, rank, arguments) for rank in plan.ranks))
        return 0
    new = not (given["--out"] and (Path(given["--out"]) / "recipe.json").exists())
    if new and node == 0 and not given["--no-check"]:
        _checked(recipe, bool(given["--quiet"]))
    return launch(plan, arguments)


def _manifest(given: Given, plan, words: list[str]) -> str:  # type: ignore[no-untyped-def]
    """What a cluster is told."""
    from danlu.run.manifests import MANIFESTS

    cluster = given["--for"]
    if cluster not in MANIFESTS:
        raise BadInput(messages.LAUNCH_FOR, found=cluster, known=", ".join(MANIFESTS))
    if not given["--dry-run"]:
        raise BadInput(messages.LAUNCH_FOR_PRINTS, cluster=cluster)
    return str(MANIFESTS[cluster](plan, words))


def _passed_on(given: Given) -> list[str]:
    """The flags of `train` as they were given."""
    found = []
    for flag in (*CHANGES, FROM, OUT, LIMIT, ACCEPT, JSON, QUIET):
        value = given[flag.name]
        if value is True:
            found.append(flag.name)
        elif value:
            found += [word for one in (value if flag.many else [value]) for word in (flag.name, one)]
    return found


def _checked(recipe, quiet: bool) -> None:  # type: ignore[no-untyped-def]
    """The certificate, on one process, before any is started."""
    import sys

    from danlu.core import Run
    from danlu.run.train import passed

    tell = (lambda text: None) if quiet else (lambda text: print(text, file=sys.stderr))
    with Run(replace(recipe, placement=None)) as run:
        passed(run, tell)


def _number(given: Given, flag: str, least: int, default: int) -> int:
    text = given[flag]
    if text is None:
        return default
    if not text.isdigit() or int(text) < least:
        raise BadInput(messages.LAUNCH_NUMBER, flag=flag, least=least, found=text)
    return int(text)
