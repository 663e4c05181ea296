"""Floating-point operations of a step, counted by torch as the model runs: matrix products, convolutions and attention."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from danlu.nets.facts import evaluating


@torch.no_grad()
def step_flops(model: nn.Module, inputs: Any) -> int:
    """FLOPs of one forward and backward pass over `inputs` (a tensor or a dict of keywords), a multiplication and an addition being two.

    One forward pass in eval mode is counted, times three: the backward pass makes two products (to the input, to the weight) for each of
    the forward's (Kaplan et al. 2020, section 2.1). Nothing is moved.
    """
    # torch 2.13 counts nothing for the fused attention of the CPU; as plain products it is counted in full, causal or not
    with evaluating(model), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        if isinstance(inputs, dict):
            model(**inputs)
        else:
            model(inputs)
    return 3 * counter.get_total_flops()
