"""The descent that every optimiser is compared on: two tensors, a matrix and a vector, in float64, with a gradient that has no noise.

`gradient` is written with operators only, so that NumPy, torch and jax arrays all go through it.
"""

from __future__ import annotations

STEPS = 25
SHAPES = {"w": (5, 3), "b": (4,)}


def start(np):
    return {"w": np.cos(np.arange(15.0)).reshape(5, 3) * 1.5, "b": np.sin(np.arange(4.0) + 1)}


def gradient(np, point, step):
    """Of an uneven bowl, tilted a little further each step, so that no two steps have the same gradient."""
    curve = np.linspace(0.2, 3.0, 15).reshape(5, 3)
    tilt = np.sin(np.arange(15.0).reshape(5, 3) + step) * 0.3
    mixed = np.full((3, 3), 0.1) + np.diag(np.array([0.5, 1.0, 1.5]))
    return {
        "w": curve * point["w"] + point["w"] @ mixed + tilt,
        "b": np.linspace(0.5, 2.0, 4) * point["b"] + 0.2 * np.cos(np.arange(4.0) * step),
    }
