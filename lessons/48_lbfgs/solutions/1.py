"""Newest to oldest with the changes, the scale, and back with the moves."""

from torch import Tensor


def lbfgs_direction(slope: Tensor, moves: list[Tensor], changes: list[Tensor]) -> Tensor:
    q, shares = slope.clone(), []
    for s, y in zip(reversed(moves), reversed(changes)):
        shares.append((s @ q) / (y @ s))
        q = q - shares[-1] * y
    if moves:
        q = q * (moves[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for s, y, share in zip(moves, changes, reversed(shares)):
        q = q + (share - (y @ q) / (y @ s)) * s
    return -q
