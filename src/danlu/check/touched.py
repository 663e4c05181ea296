"""Does everything that is to be trained get a gradient? What gets none is tried: is it unused, or cut off from the loss?"""

from __future__ import annotations

import torch

from danlu import messages
from danlu.check.certificate import FAILED, NOTE, OK, Line, line
from danlu.check.trial import Trial

SHOWN = 5


def touched(trial: Trial) -> Line:
    """A tensor without a gradient in all the steps, although the loss depends on it, was cut off (detach, no_grad, .data)."""
    followed = trial.followed
    trained = [name for name, p in followed.plain.model.named_parameters() if p.requires_grad]
    missing = [name for name in trained if name not in followed.touched]
    cut_off = [name for name in missing if _matters(trial, name)]
    figures = {"tensors": len(trained), "steps": followed.steps, "cut_off": cut_off, "unused": [n for n in missing if n not in cut_off]}
    if cut_off:
        return line("tensors", FAILED, messages.CHECK_CUT_OFF, names=_listed(cut_off), **figures)
    if missing:
        return line("tensors", NOTE, messages.CHECK_UNUSED, names=_listed(missing), count=len(missing), **figures)
    return line("tensors", OK, messages.CHECK_TOUCHED_OK, **figures)


def _matters(trial: Trial, name: str) -> bool:
    """Whether the loss changes when the tensor is moved a little."""
    plain, look = trial.followed.plain, trial.followed.look
    p = dict(plain.model.named_parameters())[name]
    kept, draws = p.detach().clone(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        before = plain.loss(look)
        moved = torch.randn(p.shape, generator=draws, dtype=torch.float64).to(p)
        p.add_(moved, alpha=1e-3 * (float(kept.abs().mean()) + 1e-2))
        after = plain.loss(look)
        p.copy_(kept)
    return bool((after - before).abs() > 1e-12 * before.abs())


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f", ... ({len(names)})" if len(names) > SHOWN else "")
