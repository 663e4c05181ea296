"""Make a matrix orthogonal with products alone.

中文：只用矩阵乘法，把一个矩阵正交化。
"""

import torch


def orthogonalised(matrix: torch.Tensor, iterations: int) -> torch.Tensor:
    """Nearly U V^T for a matrix U S V^T [rows, columns] of full rank, by the cubic Newton-Schulz iteration.

    First divide by the Frobenius norm, so that no singular value is above one. Then each iteration makes s * (3 - s**2) / 2 of every
    singular value s. No decomposition is needed, only products.

    中文：用三次 Newton–Schulz 迭代，求满秩矩阵 U S V^T（行 × 列）的近似 U V^T。先除以 Frobenius 范数，使奇异值都不超过 1；
    之后每次迭代把每个奇异值 s 变成 s * (3 − s**2) / 2。不需要做任何分解，只用矩阵乘法。
    """
    raise NotImplementedError
