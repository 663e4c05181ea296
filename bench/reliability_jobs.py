"""The three jobs of `reliability.py`, the same for danlu, the HF Trainer and Lightning: MLP with dropout, tiny GPT, CNN with BatchNorm.

Each framework trains 60 steps of 8 rows of 200, shuffled, with AdamW, saves every 4 steps and keeps 3, as its documentation says. What
imports danlu is not called in the peers' own environment, and the other way round.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NAMES = ("mlp", "gpt", "cnn")
STEPS, EVERY, KEEP, BATCH, ROWS, RATE = 60, 4, 3, 8, 200, 1e-3


# ---- the models and their data ----


class TinyGPT(nn.Module):
    """tokens [B, 16] -> logits [B, 16, 32]: two blocks of width 64, dropout 0.1."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(32, 64), nn.Embedding(16, 64)
        block = nn.TransformerEncoderLayer(64, 4, 128, dropout=0.1, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        self.head = nn.Linear(64, 32)
        self.register_buffer("mask", torch.full((16, 16), -torch.inf).triu(1), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.blocks(self.tokens(tokens) + self.places.weight, mask=self.mask))


def net(name: str) -> nn.Module:
    if name == "gpt":
        return TinyGPT()
    if name == "mlp":
        hidden = [nn.Linear(64, 256), nn.ReLU(), nn.Dropout(0.1), nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.1)]
        return nn.Sequential(*hidden, nn.Linear(256, 8))
    first = [nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(
        *first, nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Dropout(0.1), nn.Linear(512, 8)
    )


def rows(name: str) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(5)
    if name == "gpt":
        tokens = torch.randint(0, 32, (ROWS, 17), generator=draw)
        return tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()
    x = torch.randn(ROWS, *((64,) if name == "mlp" else (1, 8, 8)), generator=draw)
    return x, torch.randint(0, 8, (ROWS,), generator=draw)


def mlp() -> nn.Module:
    return net("mlp")


def gpt() -> nn.Module:
    return net("gpt")


def cnn() -> nn.Module:
    return net("cnn")


@dataclass(frozen=True)
class Rows:
    """danlu's data set of a job."""

    name: str = "mlp"

    def __call__(self) -> Any:
        from danlu.data.source import Data, Facts, Tensors

        x, y = rows(self.name)
        kind = {"mlp": Facts("classify", (64,), 8, rows=ROWS), "cnn": Facts("classify", (1, 8, 8), 8, rows=ROWS)}
        return Data(Tensors(x, y), kind.get(self.name) or Facts("language", (16,), 32, vocab=32, rows=ROWS), fingerprint=self.name)


def recipe(folder: Path, name: str) -> Path:
    """danlu's recipe file of a job."""
    here, path = Path(__file__).resolve(), folder / f"{name}.yaml"
    counted = f"{here.parents[1]}/exam/jobs.py:Ids"  # writes a line to `ids` for each step
    fields = {
        "model": f"{here}:{name}",
        "data": {f"{here}:Rows": {"name": name}},
        "optimizer": {"adamw": {"lr": RATE}},
        "techniques": [{"checkpoint": {"every": EVERY, "keep": KEEP}}, counted],
        "steps": STEPS,
        "batch_size": BATCH,
        "seed": 1,
    }
    path.write_text(json.dumps(fields))
    return path


# ---- the peers, in an environment of their own ----


def peer() -> int:
    """`FRAMEWORK NAME` in the current folder: train, or go on if there is a checkpoint; the digest of the weights goes to the file `final`.

    The file `steps` gets a line for each optimizer step.
    """
    framework, name = sys.argv[1:3]
    model = _hf(name) if framework == "hf" else _lightning(name, framework == "lightning-stateful")
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode() + value.detach().numpy().tobytes())
    Path("final").write_text(digest.hexdigest())
    return 0


class _Items(torch.utils.data.Dataset):
    def __init__(self, name: str):
        self.x, self.y = rows(name)

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        return {"x": self.x[place], "labels": self.y[place]}


class _Scored(nn.Module):
    def __init__(self, name: str):
        super().__init__()
        self.net = net(name)

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.net(x)
        return {"loss": F.cross_entropy(logits.flatten(0, -2), labels.flatten()), "logits": logits}


def _stepped() -> None:
    """Count the step; kill this process at the one that the file `kill-at` names."""
    with open("steps", "a") as file:
        file.write("x\n")
    if os.path.exists("kill-at") and Path("steps").read_text().count("x") == int(Path("kill-at").read_text()):
        os.kill(os.getpid(), signal.SIGKILL)


def _saved() -> bool:
    return os.path.isdir("ck") and bool(os.listdir("ck"))


def _hf(name: str) -> nn.Module:
    from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed

    class Count(TrainerCallback):
        def on_optimizer_step(self, *args: Any, **options: Any) -> None:
            _stepped()

    set_seed(1)
    arguments = TrainingArguments(
        output_dir="ck", per_device_train_batch_size=BATCH, max_steps=STEPS, save_steps=EVERY, save_total_limit=KEEP, logging_steps=1000,
        report_to=[], use_cpu=True, seed=1, disable_tqdm=True, learning_rate=RATE, remove_unused_columns=False,
    )  # fmt: skip
    trainer = Trainer(model=_Scored(name), args=arguments, train_dataset=_Items(name), callbacks=[Count()])
    begun = _saved() and any(entry.startswith("checkpoint-") for entry in os.listdir("ck"))
    trainer.train(resume_from_checkpoint=True if begun else None)
    return trainer.model


def _lightning(name: str, stateful: bool) -> nn.Module:
    import lightning.pytorch as pl
    from lightning.pytorch.callbacks import Callback, ModelCheckpoint

    if stateful:
        from torchdata.stateful_dataloader import StatefulDataLoader as Loader
    else:
        from torch.utils.data import DataLoader as Loader

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.scored = _Scored(name)

        def training_step(self, batch: Any, place: int) -> Tensor:
            return self.scored(**batch)["loss"]

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.scored.parameters(), lr=RATE)

    class Count(Callback):
        def on_before_optimizer_step(self, *args: Any, **options: Any) -> None:
            _stepped()

        def on_train_batch_end(self, trainer: Any, module: Any, *args: Any, **options: Any) -> None:
            module.log("step", float(trainer.global_step))

    pl.seed_everything(1)
    module = Module()
    saving = ModelCheckpoint(dirpath="ck", every_n_train_steps=EVERY, save_last=True, save_top_k=KEEP, monitor="step", mode="max")
    trainer = pl.Trainer(
        max_steps=STEPS, max_epochs=-1, accelerator="cpu", callbacks=[Count(), saving], logger=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=".",
    )  # fmt: skip
    trainer.fit(module, Loader(_Items(name), batch_size=BATCH, shuffle=True), ckpt_path="last" if _saved() else None)
    return module


def warm(framework: str) -> None:
    """Train once, so that all is imported."""
    torch.set_num_threads(1)
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.argv[1:] = [framework, "mlp"]
        peer()
        os.chdir(here)


def serve(framework: str) -> None:
    from exam.forked import serve

    serve(peer, lambda: warm(framework))
