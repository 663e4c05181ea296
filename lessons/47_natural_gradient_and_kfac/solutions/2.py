"""(A ⊗ G) inverted is the inverse of A times that of G: each stands on its own side of the gradient."""

import torch
from torch import Tensor


def kfac_direction(inputs: Tensor, output_gradients: Tensor, slope: Tensor, damping: float) -> Tensor:
    a, g = (m.T @ m / len(m) + damping * torch.eye(m.shape[1], dtype=m.dtype) for m in (inputs, output_gradients))
    return torch.linalg.solve(g, slope) @ torch.linalg.inv(a)
