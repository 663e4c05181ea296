"""timm and transformers import torchvision, whose wheels are built for CUDA: beside a torch without it the import fails.

It fails because torchvision says how two operators of its compiled part behave (both suppress boxes that overlap) and that part was not
loaded. With the two declared before, the import goes through; only suppressing boxes does not work then.
"""

from __future__ import annotations

import importlib
import sys
from importlib import util

import torch

_declared: list[torch.library.Library] = []  # a declaration lives as long as the object that made it


def make_importable() -> None:
    """Declare the two operators if torchvision is installed and cannot be imported without them."""
    if "torchvision" in sys.modules or _declared or util.find_spec("torchvision") is None:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            return  # another fault: whoever needs torchvision says which
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)
    except ImportError:
        return
