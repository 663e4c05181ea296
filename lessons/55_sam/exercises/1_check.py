"""Checks SAM's gradient in a valley whose gradient is known."""

import torch

from danlu.errors import Sentence

HINTS = {
    "downhill": Sentence(
        "You look where the loss is lower. SAM asks how bad it can get nearby: which way is that?",
        "你看的是损失更低的地方。SAM 问的是附近最坏能有多坏：该往哪边走？",
    ),
    "not_normalised": Sentence(
        "With a gradient ten times as long you climb ten times as far. How far is rho meant to be?",
        "梯度长十倍，你就爬远十倍。rho 本来说的是走多远？",
    ),
    "each_by_itself": Sentence(
        "With two tensors you climb farther than rho: each has been normalised by itself. Over what is the length taken?",
        "有两个张量时，你走得比 rho 更远：你把每个张量各自归一化了。长度应当在什么范围内算？",
    ),
    "left_uphill": Sentence(
        "The weights that you were given lie uphill now. The optimiser would step from there.",
        "传进来的权重现在停在了坡上，优化器就会从那里出发。",
    ),
    "zero": Sentence(
        "At the bottom the gradient is zero, and you return something that is not a number.",
        "谷底的梯度为零，你返回的却不是数。",
    ),
    "wrong": Sentence(
        "In the valley sum(c w**2) / 2 the answer is c (w + rho c w / |c w|). Try w = 1, c = 2, rho = 0.5 on paper.",
        "在山谷 sum(c w**2) / 2 里，答案是 c (w + rho c w / |c w|)。用 w = 1、c = 2、rho = 0.5 在纸上算一遍。",
    ),
}


def check(sam_gradient):
    """One weight, then two tensors."""
    tensor = lambda *numbers: torch.tensor(numbers, dtype=torch.float64)
    bent = [tensor(2.0, 5.0), tensor(1.0)]
    gradient = lambda weights: [c * w for c, w in zip(bent, weights)]
    same = lambda a, b: len(a) == len(b) and all(torch.allclose(x, y, rtol=1e-9) for x, y in zip(a, b))

    def right(weights, rho):
        slope = gradient(weights)
        length = torch.cat(slope).norm()
        return [c * (w + rho * g / length) for c, w, g in zip(bent, weights, slope)]

    weights = [tensor(1.0, -0.5), tensor(3.0)]
    kept = [w.clone() for w in weights]
    found = [g.clone() for g in sam_gradient(gradient, weights, 0.1)]
    yield same(weights, kept), "left_uphill"
    yield not same(found, right(kept, -0.1)), "downhill"
    yield not same(found, [c * (w + 0.1 * g) for c, w, g in zip(bent, kept, gradient(kept))]), "not_normalised"
    alone = [c * (w + 0.1 * g / g.norm()) for c, w, g in zip(bent, kept, gradient(kept))]
    yield not same(found, alone), "each_by_itself"
    yield all(bool(g.isfinite().all()) for g in sam_gradient(gradient, [tensor(0.0, 0.0), tensor(0.0)], 0.1)), "zero"
    yield same(found, right(kept, 0.1)), "wrong"
