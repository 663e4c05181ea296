"""`docs/reliability.md`: a section for each part of `reliability.py`, written by it and never by hand.

A section says with what it was measured and when, since parts are measured one at a time (together they take an hour). A part that is
measured again takes the place of what was there.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from textwrap import fill

from exam.write import ROOT, conditions

PAGE = ROOT / "docs" / "reliability.md"
PEERS = ROOT / ".venv-peers" / "bin" / "python"
HEAD = """# Reliability, beside others

Written by `bench/reliability.py`, whose docstring says how to run it and how to set up the others; never edited.

The same three jobs for each: an MLP with dropout, a GPT of two blocks with dropout, a CNN with BatchNorm; {job.STEPS} steps of
{job.BATCH} of {job.ROWS} rows, shuffled, AdamW, a save every {job.EVERY} steps of which {job.KEEP} are kept. Each is used as its own
documentation says and else left at its defaults: `Trainer.train(resume_from_checkpoint=True)`, `Trainer.fit(ckpt_path="last")` with
`ModelCheckpoint(save_last=True)`, `danlu resume`. "The same bits" are those of all weights at the end of a run that nothing happened to;
two such runs of each job agree in every framework, else the script ends.

What danlu does at larger numbers of trials is in [the exam](exam.md): R02 (200 kills), R03 (killed at every system call of a save), R10 (a
broken newest checkpoint), R13 (saves beside the training), R15 (damage), R27 (a long run), R33 (typos), S01 (pickles)."""
SECTIONS = {
    "kill": (
        "Killed at a random time",
        "kill -9 at a time that is uniform over the seconds of the whole training, saving included, then the same command again (danlu: "
        "`danlu resume`). Trainings that were over before the kill do not count. Who had saved nothing yet begins anew, and can end the "
        "same.",
    ),
    "finished": ("A finished run that is resumed", "Each job after its end, gone on with once more: nothing is left to do."),
    "broken": (
        "The newest checkpoint is broken",
        "The CNN is killed in step 58; then, each time in a fresh copy, one file of the newest checkpoint is deleted, or is empty: every "
        "file, both ways (Lightning has one). Files that are not read to go on do no harm.",
    ),
    "damage": (
        "Damage to a file",
        "A state of 16 matrices is saved once in each format; the largest file of it is damaged and loaded. Noticed: loading fails. Damage "
        "that changes nothing of what is loaded does not count.",
    ),
    "saving": (
        "What saving costs",
        "98 million parameters with Adam's state. A bare write is the same bytes by `write` and one `fsync`; it is there twice, and how "
        "far it strays from itself says what the others are worth. All arms are durable at the end; those of a round are in random order, "
        "each in a new folder, after all that was written before has reached the disk. Seconds depend on who else uses the machine; the "
        "processor's (of all threads; in the background, of the training's thread) less so. To reach: {reach}.",
    ),
}


def written(part: str, found: str, values: Mapping[str, object]) -> None:
    """Put what was `found` (Markdown) into the page as that part. values: for the texts."""
    said = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    known = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", said, re.MULTILINE | re.DOTALL))
    title, how = SECTIONS[part]
    known[title] = f"\n{fill(how.format(**values), 140)}\n\n{found.strip()}\n\n{_with()}\n\n"
    body = "".join(f"## {title}\n{known[title].rstrip()}\n\n" for title, _ in SECTIONS.values() if title in known)
    PAGE.write_text(f"{HEAD.format(**values)}\n\n{body}".rstrip() + "\n", encoding="utf-8")


def versions() -> str:
    """Of the peers."""
    code = "import sys, importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in sys.argv[1:]), sep=', ')"
    packages = ["transformers", "accelerate", "lightning", "torchdata", "torch"]
    return subprocess.check_output([str(PEERS), "-c", code, *packages], text=True).strip() if PEERS.exists() else "none on this machine"


def _with() -> str:
    """Versions, revision, machine and date."""
    own, machine = conditions()
    command = " ".join(["python bench/reliability.py", *sys.argv[1:]])
    return fill(f"Measured on {date.today().isoformat()} by `{command}`. {own}; the others: {versions()}. {machine}.", 140)
