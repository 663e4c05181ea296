"""X X^T X has the cubes of the singular values, for every shape."""

import torch


def orthogonalised(matrix: torch.Tensor, iterations: int) -> torch.Tensor:
    x = matrix / matrix.norm()
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x
