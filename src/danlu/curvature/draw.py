"""The loss around a trained model as pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from danlu import messages
from danlu.curvature.hessian import Top, Trace
from danlu.curvature.surface import Rise, Surface
from danlu.run.axes import picture, worded
from danlu.run.plot import COLORS

Tell = Callable[[str], None]


def spectrum(found: Top, out: Path, tell: Tell) -> Path:
    """The density of all eigenvalues, smoothed, with the largest marked."""
    nodes, weights = np.array(found.nodes), np.array(found.weights)
    width = max(found.values[0] - found.lowest, 1e-12)
    places = np.linspace(found.lowest - 0.05 * width, found.values[0] + 0.05 * width, 800)
    deviation = 0.01 * width
    density = (weights * np.exp(-0.5 * ((places[:, None] - nodes) / deviation) ** 2)).sum(1)
    with picture(out, tell) as axes:
        axes.fill_between(places, density, 1e-7, color=COLORS[1], alpha=0.25, linewidth=0)
        axes.plot(places, density, color=COLORS[1], linewidth=1.4, label=worded(messages.HESSIAN_DENSITY))
        label = worded(messages.HESSIAN_LARGEST)
        axes.plot(found.values, [2e-7] * len(found.values), "^", color=COLORS[0], markersize=8, clip_on=False, label=label)
        axes.set_yscale("log")
        axes.set_ylim(1e-7, 2)
        axes.set_xlabel(worded(messages.HESSIAN_AXIS_VALUE))
        axes.set_ylabel(worded(messages.HESSIAN_AXIS_DENSITY))
        axes.legend(frameon=False, fontsize=9)
    return out


def trace(found: Trace, out: Path, tell: Tell) -> Path:
    """The estimate as vectors come in, and what each of them said."""
    draws = np.array(found.draws)
    count = np.arange(1, len(draws) + 1)
    mean = draws.cumsum() / count
    spread = np.array([draws[:n].std(ddof=1) / n**0.5 if n > 1 else 0.0 for n in count])
    with picture(out, tell) as axes:
        axes.plot(count, draws, "o", color=COLORS[1], alpha=0.35, markersize=4, label=worded(messages.HESSIAN_ONE_DRAW))
        axes.plot(count, mean, color=COLORS[0], linewidth=1.8, label=worded(messages.HESSIAN_MEAN_SO_FAR))
        axes.fill_between(count, mean - spread, mean + spread, color=COLORS[0], alpha=0.2, linewidth=0)
        axes.set_xlabel(worded(messages.HESSIAN_AXIS_VECTORS))
        axes.set_ylabel(worded(messages.HESSIAN_AXIS_TRACE))
        axes.legend(frameon=False, fontsize=9)
    return out


def blocks(found: Trace, out: Path, tell: Tell, most: int = 24) -> Path:
    """The trace of each parameter's block of the Hessian; of many, the largest, in the model's order."""
    kept = sorted(found.blocks, key=lambda name: -abs(found.blocks[name]))[:most]
    names = [name for name in found.blocks if name in kept]
    with picture(out, tell, (7.2, 1.2 + 0.26 * len(names))) as axes:
        axes.barh(names, [found.blocks[name] for name in names], color=COLORS[1])
        axes.invert_yaxis()
        axes.set_xlabel(worded(messages.HESSIAN_BY_PARAMETER))
    return out


def rises(found: Sequence[Rise], out: Path, tell: Tell) -> Path:
    """The rise of the loss over the distance from the weights."""
    radii = [one.radius for one in found]
    with picture(out, tell) as axes:
        for place, (name, word) in enumerate(
            (("worst", messages.HESSIAN_WORST), ("ahead", messages.HESSIAN_AHEAD), ("mean", messages.HESSIAN_RANDOM))
        ):
            values = [getattr(one, name) for one in found]
            axes.plot(radii, values, "o-", color=COLORS[place], linewidth=1.8, markersize=4, label=worded(word))
        if all(min(one.worst, one.ahead, one.mean) > 0 for one in found):
            axes.set_yscale("log")
        axes.set_xscale("log")
        axes.set_xticks(radii, [f"{radius:.3g}" for radius in radii])
        axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        axes.set_xlabel(worded(messages.HESSIAN_AXIS_RADIUS))
        axes.set_ylabel(worded(messages.HESSIAN_AXIS_RISE))
        axes.legend(frameon=False, fontsize=9)
    return out


def surface(found: Surface, out: Path, tell: Tell) -> Path:
    """Lines of equal loss, in equal ratios where the loss is positive; the weights in the middle."""
    shown = np.where(np.isfinite(found.losses), found.losses, np.nan)
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    if low == high:
        high = low + 1e-12
    ratios = low > 0 and high > 3 * low
    levels = np.geomspace(low, high, 16) if ratios else np.linspace(low, high, 16)
    with picture(out, tell, (6.0, 5.0)) as axes:
        filled = axes.contourf(found.places, found.places, shown, levels=levels, cmap="viridis", norm="log" if ratios else "linear")
        axes.contour(found.places, found.places, shown, levels=levels, colors="white", linewidths=0.5, alpha=0.6)
        axes.plot([0], [0], "+", color=COLORS[0], markersize=12, markeredgewidth=2)
        bar = axes.figure.colorbar(filled, ax=axes, ticks=levels[::3], format="%.3g")
        bar.minorticks_off()
        bar.set_label(worded(messages.HESSIAN_LOSS))
        axes.set_aspect("equal")
        axes.grid(False)
        axes.set_xlabel(worded(messages.HESSIAN_FIRST))
        axes.set_ylabel(worded(messages.HESSIAN_SECOND))
    return out
