"""The Kronecker factors of linear, convolution and embedding layers, and what their inverse makes of a gradient.

The Fisher block of a layer with weights W [out, in] is about A (x) G: A [in, in] is the second moment of its inputs, G [out, out] of the
gradients at its outputs (Martens and Grosse 2015). Positions (of a sequence, of an image) count as rows of their own: for convolutions that
is KFC (Grosse and Martens 2016), for sequences "expand" (Eschenhagen et al. 2023). An embedding's inputs are one-hot, so its A is diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Factors = dict[str, Tensor]  # "A": [in, in], with one more for a bias, or [in] for an embedding; "G": [out, out]


@dataclass(frozen=True)
class Unit:
    """A layer whose factors are known."""

    name: str
    layer: nn.Module

    def inputs(self, x: Tensor) -> Tensor:
        """What the weights are multiplied with: [vectors, in], with a last column of ones for a bias; an embedding's tokens [vectors]."""
        if isinstance(self.layer, nn.Embedding):
            return x.flatten()
        if isinstance(self.layer, nn.Conv2d):
            padding = cast("tuple[int, int]", self.layer.padding)
            x = F.unfold(x, self.layer.kernel_size, self.layer.dilation, padding, self.layer.stride).transpose(1, 2)  # type: ignore[arg-type]
        x = x.flatten(0, -2)
        return F.pad(x, (0, 1), value=1.0) if self.layer.bias is not None else x

    def outputs(self, g: Tensor) -> Tensor:
        """Gradients at the outputs as [vectors, out]."""
        return g.flatten(2).transpose(1, 2).flatten(0, 1) if isinstance(self.layer, nn.Conv2d) else g.flatten(0, -2)

    def second_moment(self, x: Tensor) -> Tensor:
        """The sum over vectors of their outer products; counts of each token for an embedding."""
        if isinstance(self.layer, nn.Embedding):
            return torch.bincount(x, minlength=self.layer.num_embeddings).to(self.layer.weight.dtype)
        return x.T @ x

    @property
    def gradient(self) -> Tensor | None:
        """The gradient as [out, in], with one more column for a bias; None when the layer was not touched."""
        weight, bias = cast("nn.Parameter", self.layer.weight), cast("nn.Parameter | None", getattr(self.layer, "bias", None))
        if weight.grad is None:
            return None
        if isinstance(self.layer, nn.Embedding):
            return weight.grad.T
        flat = weight.grad.flatten(1)
        return flat if bias is None or bias.grad is None else torch.cat([flat, bias.grad[:, None]], 1)

    def set_gradient(self, value: Tensor) -> None:
        """Put a gradient of that form where the optimiser looks for it."""
        weight, bias = cast("nn.Parameter", self.layer.weight), cast("nn.Parameter | None", getattr(self.layer, "bias", None))
        assert weight.grad is not None
        if isinstance(self.layer, nn.Embedding):
            weight.grad.copy_(value.T)
            return
        if bias is not None and bias.grad is not None:
            bias.grad.copy_(value[:, -1])
            value = value[:, :-1]
        weight.grad.copy_(value.reshape(weight.shape))


def units(model: nn.Module) -> tuple[list[Unit], list[str]]:
    """The layers whose factors are known, and the names of those with trainable weights of two and more dimensions that are left alone.

    Left alone are layers of other kinds, grouped or unusually padded convolutions, partly frozen layers, and layers that share a weight.
    """
    owners: dict[nn.Parameter, int] = {}
    for module in model.modules():
        for p in module.parameters(recurse=False):
            owners[p] = owners.get(p, 0) + 1
    known, left = [], []
    for name, module in model.named_modules():
        own = list(module.parameters(recurse=False))
        if not any(p.requires_grad and p.dim() > 1 for p in own):
            continue
        fits = _known(module) and all(p.requires_grad for p in own) and all(owners[p] == 1 for p in own)
        known.append(Unit(name, module)) if fits else left.append(name or "model")
    return known, left


def _known(module: nn.Module) -> bool:
    if type(module) is nn.Conv2d:
        return module.groups == 1 and module.padding_mode == "zeros" and not isinstance(module.padding, str)
    if type(module) is nn.Embedding:
        return module.max_norm is None and not module.scale_grad_by_freq and not module.sparse
    return type(module) is nn.Linear


def basis(factors: Factors) -> Factors:
    """The eigenvalues ("sA", "sG") and eigenvectors ("QA", "QG") of both factors, with which any damping is a division.

    A diagonal A has no "QA". Raises torch.linalg.LinAlgError when there are none. (George et al. 2018 correct the eigenvalues; here they
    are the factors' own.)
    """
    found: Factors = {}
    for side in ("A", "G"):
        factor = factors[side]
        if factor.dim() == 1:
            found[f"s{side}"] = factor.clone()
            continue
        values, vectors = torch.linalg.eigh(factor.double() if factor.device.type != "mps" else factor)
        found[f"s{side}"], found[f"Q{side}"] = values.clamp(min=0).to(factor.dtype), vectors.to(factor.dtype)
    return found


def preconditioned(gradient: Tensor, found: Factors, damping: float | Tensor, split: bool) -> Tensor:
    """(A (x) G + damping)^-1 times a gradient [out, in]. found: what `basis` found.

    split: the damping goes into both factors, as (A + pi root(damping)) (x) (G + root(damping) / pi), where pi is the root of the ratio of
    their mean eigenvalues (Martens and Grosse 2015, section 6.3); else it is added to the eigenvalues of the product, exactly.
    """
    a, g = found["sA"], found["sG"]
    inner = found["QG"].T @ gradient
    inner = inner @ found["QA"] if "QA" in found else inner
    if split:
        pi = (a.mean() / g.mean().clamp(min=1e-30)).clamp(min=1e-30).sqrt()
        scale = (g + damping**0.5 / pi)[:, None] * (a + damping**0.5 * pi)[None]
    else:
        scale = g[:, None] * a[None] + damping
    inner = inner / scale
    inner = inner @ found["QA"].T if "QA" in found else inner
    return found["QG"] @ inner


def quadratic(moved: Tensor, factors: Factors) -> Tensor:
    """v^T (A (x) G) v for a layer's weights moved by v [out, in]: a 0-d tensor."""
    left = factors["G"] @ moved
    right = moved * factors["A"] if factors["A"].dim() == 1 else moved @ factors["A"]
    return (left * right).sum()
