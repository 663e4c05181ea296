"""Natural gradient: the gradient times the inverse of the Fisher information of the model's outputs (Amari 1998).

It is the direction in which the loss falls most for a given change of what the model says, whatever the weights are called: a change of
parameters changes nothing. Small models get the whole matrix; larger ones conjugate gradients with products that never form it (Martens
2010, "Deep learning via Hessian-free optimization"; with the Gauss-Newton matrix it is that method's step).

Formula: ∇ ← (F + damping)⁻¹ ∇, with F = E[Jᵀ H J] over the step's rows, H the curvature of the loss at the outputs
When it helps: small nets and ill-conditioned problems where each step may cost much; as the truth that K-FAC is an approximation of.
What it costs: with the matrix, weights squared in memory and weights cubed in time; else two to four passes over the step's rows for each
iteration of the conjugate gradients.
When not to use it: large models and small batches, whose Fisher is mostly noise.
Failure signals: a step that is much longer than a plain one: damping is too small for the batch; progress like plain descent: damping or
the trust bound decides, or the conjugate gradients end before they have begun.
Interactions: made for SGD: Adam rescales directions that it has made equal. `clip` listed before it bounds what it made. Where a layer has
no second derivative it is refused; `kfac` is not.

原理: 自然梯度：用模型输出分布的费舍尔信息矩阵的逆乘以梯度，即在输出改变量给定时损失下降最快的方向；换一种参数写法，结果不变。
何时有用: 小网络，以及每步值得多花时间的病态问题；也是 K-FAC 所近似的真值。
代价: 用矩阵时，内存为权重数的平方、时间为其立方；否则每次共轭梯度迭代要在本步数据上多走两到四遍。
何时不用: 大模型或小批次，其费舍尔矩阵多半是噪声。
失效信号: 步长远大于普通步：对这个批次来说阻尼太小；进展与普通下降无异：阻尼或信任域上限起决定作用，或共轭梯度一开始就结束了。
相互作用: 为 SGD 而设：Adam 会把已经拉平的方向重新缩放。`clip` 列在它前面则限制其结果。若某层没有二阶导数，会拒绝运行；`kfac` 不会。

Scope: 3.3
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from danlu.core import Batch, Gradient, Loss, Objective, Outcome, Run, Technique
from danlu.curvature.gauss_newton import Linear, conjugate, second_derivative, solved
from danlu.curvature.outputs import along, bent
from danlu.curvature.seen import Seen
from danlu.curvature.trust import rates, share
from danlu.errors import Refused, Sentence
from danlu.fields import NonNegativeInt, Positive, PositiveInt
from danlu.keys import unkeyed
from danlu.losses.criterion import exact, wide
from danlu.placement.memory import out_of_memory

NO_OUTPUT = Sentence(
    "natural_gradient needs one tensor of outputs, rows first, from the model, and found {found}; leave natural_gradient out",
    "natural_gradient 需要模型输出一个以行为首维的张量，现在得到 {found}；请去掉 natural_gradient",
)
SPARSE = Sentence(
    "natural_gradient cannot take the sparse gradients of layer `{layer}`; make the embedding with sparse=False",
    "natural_gradient 无法处理层 `{layer}` 的稀疏梯度；请用 sparse=False 创建嵌入层",
)
NO_SECOND = Sentence(
    "natural_gradient: a layer of this model has no second derivative ({reason}); use kfac, or raise natural_gradient.exact_up_to "
    "to {weights} if the matrix fits in memory",
    "natural_gradient：模型中有一层没有二阶导数（{reason}）；请改用 kfac，若矩阵放得进内存，也可把 "
    "natural_gradient.exact_up_to 提高到 {weights}",
)
Product = Callable[[Sequence[Tensor]], list[Tensor]]


@dataclass
class NaturalGradient(Technique):
    """Multiply the gradient by the inverse of the whole model's Fisher matrix, over all micro-batches of the step.

    damping: added to the matrix; larger is closer to the plain gradient ｜ 阻尼：加在矩阵上；越大越接近普通梯度
    curvature: exact sums over all outputs; sampled draws targets from the model; empirical takes the data's; gauss_newton is the loss's own
        ｜ exact 对所有输出求和；sampled 由模型抽取目标；empirical 用数据的目标；gauss_newton 用损失自身的曲率
    exact_up_to: models of so many weights get the whole matrix, larger ones conjugate gradients
        ｜ 权重不超过这么多的模型用完整矩阵，更大的用共轭梯度
    iterations: of the conjugate gradients, at most ｜ 共轭梯度的迭代次数上限
    tolerance: they end when the rest is this share of the gradient ｜ 残差降到梯度的这个比例时，共轭梯度结束
    trust: the largest change of the model's distribution that a step may make, as lr^2 g F^-1 g (null: no bound)
        ｜ 信任域：一步最多使模型的输出分布改变多少，以 lr^2 g F^-1 g 计（null：不限制）
    中文: 自然梯度：用整个模型的费舍尔信息矩阵的逆乘以梯度；小模型精确求解，大模型用共轭梯度。
    """

    damping: Positive = 1e-3
    curvature: Literal["exact", "sampled", "empirical", "gauss_newton"] = "exact"
    exact_up_to: NonNegativeInt = 1000
    iterations: PositiveInt = 50
    tolerance: Positive = 1e-4
    trust: Positive | None = 1e-3

    needs: ClassVar = frozenset({"finished gradient", "model twice"})
    neutral: ClassVar = "an infinite damping with an infinite rate would be plain descent; no finite values are"
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        for name, module in run.model.named_modules():
            if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse:
                raise Refused(SPARSE, layer=name or "model")
        parameters, self._tried = run.trainable(), False

        def natural(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            touched = [p for p in parameters if p.grad is not None]
            if touched:
                solve = self._by_matrix if sum(p.numel() for p in touched) <= self.exact_up_to else self._by_products
                slopes = [wide(run.placement.full(p.grad)) for p in touched if p.grad is not None]
                math = sdpa_kernel(SDPBackend.MATH)  # other kernels have no second derivative
                with run.placement.aside(), unkeyed(), math, run.placement.whole(run.model) as whole:
                    weights = [weight for weight, p in zip(whole, parameters) if p.grad is not None]
                    looks = lambda: self._looks(objective, batches, weights, outcome, run)
                    found = solve(weights, slopes, looks, len(batches), run)
                self._set(touched, slopes, found, run)
            return outcome

        return natural

    def _by_matrix(self, weights: list[nn.Parameter], slopes: list[Tensor], looks: Any, count: int, run: Run) -> list[Tensor]:
        whole: Tensor | float = 0.0
        for linear in looks():
            whole = whole + linear.matrix()
        flat = torch.cat([slope.flatten() for slope in slopes])
        kind = exact(flat.device)
        found = solved(run.placement.sum(whole).to(kind), flat.to(kind), self.damping).to(flat.dtype)
        return [part.view_as(p) for part, p in zip(found.split([p.numel() for p in weights]), weights)]

    def _by_products(self, weights: list[nn.Parameter], slopes: list[Tensor], looks: Any, count: int, run: Run) -> list[Tensor]:
        kept: list[Product] = []

        def products() -> Any:
            """One micro-batch is run once for all products; of several, no two are held at a time."""
            if kept:
                yield kept[0]
                return
            for linear in looks():
                if not self._tried:  # the first step of a run asks the device
                    _try_twice(linear)
                    self._tried = True
                product = linear.product()
                if count == 1:
                    kept.append(product)
                yield product

        def damped(v: Sequence[Tensor]) -> list[Tensor]:
            total = [torch.zeros_like(x) for x in v]
            for product in products():
                torch._foreach_add_(total, product(v))
            return [run.placement.sum(t) + self.damping * x for t, x in zip(total, v)]

        return conjugate(damped, slopes, self.iterations, self.tolerance, run.placement.dot)

    def _looks(self, objective: Objective, batches: Sequence[Batch], weights: list[nn.Parameter], outcome: Outcome, run: Run) -> Any:
        """Each micro-batch, linearised; their matrices sum to that of the mean loss.

        In the type that weights are stored in: products of rounded numbers are no longer those of one matrix.
        """
        for batch in batches:
            with Seen(run.model, (), len(batch.ids)) as seen:
                loss = objective(run.model, batch)
            output = seen.logits
            if isinstance(output, str):
                raise Refused(NO_OUTPUT, found=output)
            yield Linear(output, weights, self._bent(output, loss, batch, outcome, run))

    def _bent(self, output: Tensor, loss: Loss, batch: Batch, outcome: Outcome, run: Run) -> Callable[[Tensor], Tensor]:
        """The curvature of the mean loss at the outputs of one micro-batch."""
        present = batch.counts["once"]  # 0 for one that stands in for another process's

        def part(per: str) -> Any:
            count = outcome.counts[per]
            return present / count.clamp(min=1e-30) if isinstance(count, Tensor) else present / max(count, 1e-30)

        if self.curvature == "gauss_newton":
            return second_derivative(sum((v * part(per) for v, per in loss.terms.values()), start=torch.zeros(())), output)
        mine = part(next(iter(loss.terms.values()))[1])
        if self.curvature == "empirical":
            total = sum((v for v, _ in loss.terms.values()), start=torch.zeros(()))
            (slope,) = torch.autograd.grad(total, output, retain_graph=True, materialize_grads=True)
            one = along(slope)
        else:
            key = (run.seed, "natural_gradient", batch.step)
            one = bent(wide(output), batch, run.data.facts.task, self.curvature, key, run.criterion.ignore_index)
        return lambda u: one(u) * mine

    @torch.no_grad()
    def _set(self, weights: list[nn.Parameter], slopes: list[Tensor], found: list[Tensor], run: Run) -> None:
        bound: Any = 1.0
        if self.trust is not None:
            rate = rates(run.optimizer)
            parts = [rate.get(id(p), 0.0) ** 2 * (slope * x).sum() for p, slope, x in zip(weights, slopes, found)]
            bound = share(parts, self.trust)
        for p, x in zip(weights, found):
            if p.grad is not None:
                run.placement.put_in(p.grad, x * bound)

    @classmethod
    def example(cls) -> NaturalGradient:
        return cls(damping=1e-2, trust=1e-2)


def _try_twice(linear: Linear) -> None:
    """Refuse a model whose products would not be those of its Fisher matrix."""
    try:
        sound, reason = linear.twice(), "J v and J^T u differ"
    except RuntimeError as error:
        if out_of_memory(error):
            raise
        sound, reason = False, " ".join(str(error).split())[:120]
    if not sound:
        raise Refused(NO_SECOND, reason=reason, weights=sum(w.numel() for w in linear.weights))
