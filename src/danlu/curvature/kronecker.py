"""The Kronecker factors of linear, convolution and embedding layers, and what their inverse makes of a gradient.

The Fisher block of a layer with weights W [out, in] is about A (x) G: A [in, in] is the second moment of its inputs, G [out, out] of the
gradients at its outputs (Martens and Grosse 2015). Positions (of a sequence, of an image) count as rows of their own: for convolutions that
is KFC (Grosse and Martens 2016), for sequences "expand" (Eschenhagen et al. 2023). An embedding's inputs are one-hot, so its A is diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.losses.criterion import exact

BLOCK = 96  # columns of a second moment that are made together
CACHE = 1 << 20  # numbers of patches that are made together
Factors = dict[str, Tensor]  # "A": [in, in], with one more for a bias, or [in] for an embedding; "G": [out, out]


def _same(x: Tensor) -> Tensor:
    return x


@dataclass(frozen=True)
class Unit:
    """A layer whose factors are known.

    A convolution's weights are taken as [out, height * width * in], in which order its patches are copied whole pixels at a time (ten times
    as fast as `F.unfold`, which takes one channel at a time).
    """

    name: str
    layer: nn.Module

    def inputs(self, x: Tensor) -> Tensor:
        """What the weights are multiplied with: [vectors, in]; an embedding's tokens [vectors]."""
        if isinstance(self.layer, nn.Embedding):
            return x.flatten()
        return _patches(x, self.layer) if isinstance(self.layer, nn.Conv2d) else x.flatten(0, -2)

    def outputs(self, g: Tensor) -> Tensor:
        """Gradients at the outputs as [vectors, out]."""
        return g.permute(0, 2, 3, 1).flatten(0, 2) if isinstance(self.layer, nn.Conv2d) else g.flatten(0, -2)

    def second_moment(self, x: Tensor) -> tuple[Tensor, int]:
        """The sum over vectors of the outer products of what comes in, a bias with a one at the end of each, and the number of vectors.

        For an embedding, how often each token came. A few rows of images at a time: what does not leave the cache is three times as fast.
        """
        if isinstance(self.layer, nn.Embedding):
            tokens = self.inputs(x)
            return torch.bincount(tokens, minlength=self.layer.num_embeddings).to(self.layer.weight.dtype), len(tokens)
        bias, weight = self.layer.bias is not None, cast("Tensor", self.layer.weight)
        width = weight.shape[1:].numel()
        whole = x.new_zeros(width + bias, width + bias)
        vectors = 0
        for part in self._parts(x):
            flat = self.inputs(part)
            vectors += len(flat)
            add_gram(whole[:width, :width], flat)
            if bias:
                whole[:width, -1] += flat.sum(0)
        if bias:
            whole[-1, -1] = vectors
        return whole.triu_() + whole.triu(1).T, vectors

    def _parts(self, x: Tensor) -> tuple[Tensor, ...]:
        if not isinstance(self.layer, nn.Conv2d):
            return (x,)
        area = self.layer.kernel_size[0] * self.layer.kernel_size[1]
        return x.split(max(1, CACHE * len(x) // max(1, area * x.numel())))

    def gradient(self, full: Callable[[Tensor], Tensor] = _same) -> Tensor | None:
        """The gradient as [out, in], with one more column for a bias; None when the layer was not touched. full: makes a tensor whole."""
        weight, bias = cast("nn.Parameter", self.layer.weight), cast("nn.Parameter | None", getattr(self.layer, "bias", None))
        if weight.grad is None:
            return None
        return self._matrix(full(weight.grad), None if bias is None or bias.grad is None else full(bias.grad))

    def weights(self, full: Callable[[Tensor], Tensor] = _same) -> Tensor:
        """A copy of the weights in the form of the gradient. full: makes a tensor whole."""
        weight, bias = cast("Tensor", self.layer.weight), cast("Tensor | None", getattr(self.layer, "bias", None))
        return self._matrix(full(weight.detach()), None if bias is None else full(bias.detach())).clone()

    def _matrix(self, weight: Tensor, bias: Tensor | None) -> Tensor:
        if isinstance(self.layer, nn.Embedding):
            return weight.T
        flat = (weight.permute(0, 2, 3, 1) if isinstance(self.layer, nn.Conv2d) else weight).flatten(1)
        return flat if bias is None else torch.cat([flat, bias[:, None]], 1)

    def set_gradient(self, value: Tensor, put: Callable[[Tensor, Tensor], Any] = Tensor.copy_) -> None:
        """Put a gradient of that form where the optimiser looks for it. put: copies a whole tensor there."""
        weight, bias = cast("nn.Parameter", self.layer.weight), cast("nn.Parameter | None", getattr(self.layer, "bias", None))
        assert weight.grad is not None
        if isinstance(self.layer, nn.Embedding):
            put(weight.grad, value.T)
            return
        if bias is not None and bias.grad is not None:
            put(bias.grad, value[:, -1])
            value = value[:, :-1]
        if isinstance(self.layer, nn.Conv2d):
            out, into, height, width = weight.shape
            value = value.view(out, height, width, into).permute(0, 3, 1, 2)
        put(weight.grad, value)


def _patches(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """What the kernel sees at each place of x [rows, channels, height, width]: [rows * places, kernel height * width * channels]."""
    high, wide = cast("tuple[int, int]", conv.padding)
    x = F.pad(x.permute(0, 2, 3, 1), (0, 0, wide, wide, high, high)).contiguous()
    size = zip(x.shape[1:3], conv.kernel_size, conv.dilation, conv.stride)
    places = [(full - dilation * (kernel - 1) - 1) // stride + 1 for full, kernel, dilation, stride in size]
    row, down, right, one = x.stride()
    steps = (down * conv.stride[0], right * conv.stride[1], down * conv.dilation[0], right * conv.dilation[1])
    seen = x.as_strided((len(x), *places, *conv.kernel_size, x.shape[3]), (row, *steps, one))
    return seen.reshape(-1, conv.kernel_size[0] * conv.kernel_size[1] * x.shape[3])


def add_gram(whole: Tensor, x: Tensor) -> None:
    """Add x^T x of x [vectors, width] to the upper triangle of `whole`; where that is wide, what is below is left out."""
    width = x.shape[1]
    for start in range(0, width, BLOCK):
        whole[start : start + BLOCK, start:].addmm_(x[:, start : start + BLOCK].T, x[:, start:])


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


def _known(module: Any) -> bool:
    if _is(module, nn.Conv2d):
        return module.groups == 1 and module.padding_mode == "zeros" and not isinstance(module.padding, str)
    if _is(module, nn.Embedding):
        return module.max_norm is None and not module.scale_grad_by_freq and not module.sparse
    return _is(module, nn.Linear)


def _is(module: Any, kind: type[Any]) -> bool:
    """Whether it is of this very kind; or what fully_shard makes of it, a class with FSDPModule before the layer's own."""
    own = type(module)
    return own is kind or (own.__bases__[1:] == (kind,) and own.forward is kind.forward)


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


def inverses(factors: Factors, damping: float | Tensor) -> Factors:
    """The inverses ("A", "G") of both factors, damped: (A + pi root(damping))^-1 and (G + root(damping) / pi)^-1.

    pi is the root of the ratio of the factors' mean eigenvalues (Martens and Grosse 2015, section 6.3). The damping of each is no less than
    what rounding makes of the largest eigenvalue, so that singular factors have an inverse too.
    """
    a, g = factors["A"], factors["G"]
    mean = lambda factor: (factor if factor.dim() == 1 else factor.diagonal()).mean().clamp(min=1e-30)
    pi = (mean(a) / mean(g)).sqrt()
    return {side: _inverse(factors[side], damping**0.5 * share) for side, share in (("A", pi), ("G", 1 / pi))}


def _inverse(factor: Tensor, damping: Tensor) -> Tensor:
    """(factor + damping)^-1; NaN where there is none. (Nothing is read from the device.)"""
    if factor.dim() == 1:
        return 1 / (factor + damping)
    kind, diagonal = exact(factor.device), factor.diagonal()
    damping = torch.maximum(damping.to(kind), 8 * torch.finfo(factor.dtype).eps * diagonal.sum().to(kind))
    triangle, wrong = torch.linalg.cholesky_ex(factor.to(kind) + torch.diag_embed(damping.expand_as(diagonal)))
    found = torch.cholesky_inverse(triangle).to(factor.dtype)
    return torch.where(wrong == 0, found, torch.full_like(found, torch.nan))


def by_inverses(gradient: Tensor, found: Factors) -> Tensor:
    """G^-1 gradient A^-1, for a gradient [out, in]. found: what `inverses` found."""
    right = gradient * found["A"] if found["A"].dim() == 1 else gradient @ found["A"]
    return found["G"] @ right


def by_basis(gradient: Tensor, found: Factors, damping: float | Tensor) -> Tensor:
    """(A (x) G + damping)^-1 times a gradient [out, in], exactly. found: what `basis` found.

    The damping is no less than what rounding makes of the largest eigenvalue.
    """
    floor = 8 * torch.finfo(gradient.dtype).eps * found["sA"].sum() * found["sG"].sum()
    damping = floor.clamp(min=damping)
    inner = found["QG"].T @ gradient
    inner = inner @ found["QA"] if "QA" in found else inner
    inner = inner / (found["sG"][:, None] * found["sA"][None] + damping)
    inner = inner @ found["QA"].T if "QA" in found else inner
    return found["QG"] @ inner


def quadratic(moved: Tensor, factors: Factors) -> Tensor:
    """v^T (A (x) G) v for a layer's weights moved by v [out, in]: a 0-d tensor."""
    left = factors["G"] @ moved
    right = moved * factors["A"] if factors["A"].dim() == 1 else moved @ factors["A"]
    return (left * right).sum()
