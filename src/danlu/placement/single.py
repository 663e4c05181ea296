"""One process on one device: a world of one, on the same code path as many."""

from __future__ import annotations

from dataclasses import dataclass

from danlu.placement.base import Placement


@dataclass
class Single(Placement):
    """One process on one device.

    中文: 单进程、单设备。
    Scope: 1.1, 6.3
    """
