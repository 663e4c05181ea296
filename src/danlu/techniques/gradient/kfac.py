"""K-FAC: precondition the gradient of each layer by the inverse of a Kronecker-factored Fisher (Martens and Grosse 2015).

The curvature is that of the model's own distribution, in linear, convolution and embedding layers; the optimiser of the recipe then moves
along the preconditioned gradient, and moves what is left (norms, layers of other kinds) along the plain one. With SGD and momentum it is
the method of the paper.

Formula: ∇W ← G⁻¹ ∇W A⁻¹, with A = E[a aᵀ] of a layer's inputs and G = E[g gᵀ] of its output gradients, both damped
When it helps: deep nets that first-order methods are slow on (autoencoders above all), large batches, few steps.
What it costs: one more forward and backward pass and the factors each `factor_every` steps, their inverses each `inverse_every` steps, two
matrix products a layer in every step, dearer than the pass itself where layers are wider than a batch has rows, and memory for both.
When not to use it: very wide layers (a factor is width squared), small batches with noisy factors.
Failure signals: the loss jumps after the factors are updated: damping is too small; progress like plain SGD: damping or the trust bound is
doing all the work.
Interactions: made for SGD with momentum: Adam rescales the directions that it has made equal. `clip` listed before it bounds the
preconditioned gradient; embeddings called once for all rows are left out.

原理: 用克罗内克分解的费舍尔矩阵的逆预条件每层的梯度，优化器再沿所得方向前进；归一化等其他层仍用普通梯度。
公式: ∇W ← G⁻¹ ∇W A⁻¹，其中 A = E[a aᵀ] 来自该层输入，G = E[g gᵀ] 来自其输出的梯度，二者都加阻尼
何时有用: 一阶方法走得慢的深层网络（自编码器尤甚）、大批次、步数少的训练。
代价: 每 `factor_every` 步多一次前向、反向并计算因子，每 `inverse_every` 步求一次因子的逆，每步每层多两个矩阵乘法
（层宽超过批次行数时，比一次前向、反向更贵），还要为两者占内存。
何时不用: 层非常宽（因子大小是宽度的平方），或批次小、因子噪声大的时候。
失效信号: 更新因子之后损失跳高，说明阻尼太小；进展与普通 SGD 无异，说明阻尼或信任域上限在起全部作用。
相互作用: 为带动量的 SGD 而设：Adam 会把已经拉平的方向重新缩放。`clip` 列在它前面则限制预条件后的梯度；对所有行只调用一次的嵌入层不处理。

Scope: 3.4
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from danlu.core import Batch, Evaluate, Gradient, Objective, Outcome, Run, Technique, Update
from danlu.curvature.kronecker import Factors, Unit, basis, by_basis, by_inverses, inverses, quadratic, units
from danlu.curvature.outputs import Fisher, gradients
from danlu.curvature.seen import Seen
from danlu.curvature.trust import rates, share
from danlu.errors import Diverged, Refused, Sentence, say
from danlu.fields import NonNegativeInt, Positive, PositiveInt, Rate
from danlu.keys import unkeyed
from danlu.losses.criterion import exact, wide

NO_UNIT = Sentence(
    "kfac: the model has no linear, convolution or embedding layer whose weights are its own; leave kfac out",
    "kfac：模型中没有权重独立的线性层、卷积层或嵌入层；请去掉 kfac",
)
LEFT = Sentence(
    "kfac leaves to the inner optimiser: {names} (of another kind, shared, grouped or partly frozen)",
    "以下层交给内层优化器，kfac 不处理：{names}（类型不同、权重共享、分组或部分冻结）",
)
NOT_SEEN = Sentence(
    "kfac leaves to the inner optimiser: {names} (not called, or called once for all rows)",
    "以下层交给内层优化器，kfac 不处理：{names}（未被调用，或对所有行只调用一次）",
)
NO_OUTPUT = Sentence(
    "kfac(fisher={fisher}) needs one tensor of outputs, rows first, from the model, and found {found}; set kfac.fisher=empirical",
    "kfac(fisher={fisher}) 需要模型输出一个以行为首维的张量，现在得到 {found}；请设 kfac.fisher=empirical",
)
SINGULAR = Sentence(
    "kfac: the factors of layer `{layer}` have no eigenvectors at step {step}; raise kfac.damping, or lower the learning rate",
    "kfac：第 {step} 步时层 `{layer}` 的因子无法特征分解；请增大 kfac.damping 或降低学习率",
)
GROWTH = 19 / 20  # by which damping is adapted for each step between two looks (Martens and Grosse 2015, section 6.5)


@dataclass
class KFAC(Technique):
    """Multiply each layer's gradient by the inverse of its Kronecker-factored Fisher matrix.

    damping: added to the curvature; larger is closer to the plain gradient ｜ 阻尼：加在曲率矩阵上；越大越接近普通梯度
    decay: how much of the running factors is kept at each update of them ｜ 每次更新因子时，因子的滑动平均保留多少
    factor_every: steps between two updates of the factors; the first are after 1, 2, 4, 8 ... steps
        ｜ 两次更新因子之间的步数；开头几次在第 1、2、4、8……步之后
    inverse_every: steps between two inversions of them; the first are after 1, 2, 4, 8 ... steps
        ｜ 两次求逆之间的步数；开头几次在第 1、2、4、8……步之后
    fisher: sampled draws one target a row from the model; exact sums over all outputs; empirical takes the targets of the data
        ｜ sampled 由模型为每行抽一个目标；exact 对所有输出求和；empirical 用数据的目标
    form: kronecker damps and inverts each factor (the paper's); eigen damps their product, by its eigenvectors
        ｜ kronecker 对每个因子分别加阻尼并求逆（同论文）；eigen 借特征向量对两者之积加阻尼
    trust: the largest change of the model's distribution that a step may make, as lr^2 g F^-1 g (null: no bound)
        ｜ 信任域：一步最多使模型的输出分布改变多少，以 lr^2 g F^-1 g 计（null：不限制）
    adapt_every: steps between two adaptations of the damping by how well the quadratic model foretold the loss (0: fixed)
        ｜ 每隔多少步按二次模型对损失的预测好坏调整一次阻尼（0：固定不变）
    中文: K-FAC：用克罗内克分解的费舍尔信息矩阵的逆来预条件每一层的梯度。
    """

    damping: Positive = 1e-3
    decay: Rate = 0.95
    factor_every: PositiveInt = 10
    inverse_every: PositiveInt = 100
    fisher: Fisher = "sampled"
    form: Literal["kronecker", "eigen"] = "kronecker"
    trust: Positive | None = 1e-3
    adapt_every: NonNegativeInt = 0

    state: ClassVar = ("factors", "inverses", "updates", "damping_now")
    needs: ClassVar = frozenset({"finished gradient", "model twice"})
    neutral: ClassVar = "an infinite damping with an infinite rate would be plain descent; no finite values are"
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        known, left = units(run.model)
        if not known:
            raise Refused(NO_UNIT)
        if left:
            warnings.warn(say(LEFT, names=", ".join(left)), stacklevel=2)
        self.factors: dict[str, Factors] = {}
        self.inverses: dict[str, Factors] = {}
        self.updates = 0
        device = run.placement.device
        self.damping_now = torch.tensor(self.damping, dtype=exact(device), device=device)
        self._units, self._step = known, -1

        def natural(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            if batches[0].step != self._step:  # the curvature of a step is that of its first look
                self._next = self._renewed(objective, batches, run)
                self._step = batches[0].step
            self._precondition(run, self._looks(run))
            return outcome

        return natural

    def wrap_update(self, update: Update, run: Run) -> Update:
        def learned(evaluate: Evaluate) -> Outcome:
            looks = self._looks(run)
            before = {unit.name: unit.weights(run.placement.full) for unit in self._units} if looks else {}
            slopes: dict[str, Tensor] = {}

            def first() -> Outcome:
                outcome = evaluate()
                if looks and not slopes:
                    slopes.update(self._slopes)
                return outcome

            outcome = update(first)
            if outcome.moved:
                self.factors, self.inverses, self.updates = self._next
                if looks:
                    self._adapt(outcome, evaluate(), before, slopes, run)
            return outcome

        return learned

    def _looks(self, run: Run) -> bool:
        """Whether this step looks at how well the quadratic model foretold its loss."""
        return self.adapt_every > 0 and run.step % self.adapt_every == 0

    # ---- the curvature ----

    def _renewed(self, objective: Objective, batches: Sequence[Batch], run: Run) -> tuple[dict[str, Factors], dict[str, Factors], int]:
        """The running factors and their inverses for this step, and how often the factors were updated. Changes nothing."""
        factors, inverted, updates = self.factors, self.inverses, self.updates
        step = batches[0].step
        if due(step, self.factor_every) or not factors:
            found = self._statistics(objective, batches, run)
            sound = torch.stack([value.isfinite().all() for own in found.values() for value in own.values()]).all() if found else None
            keep = min(1 - 1 / (updates + 1), self.decay)
            factors = {
                name: {side: _blended(factors.get(name, {}).get(side), value, keep, sound) for side, value in own.items()}
                for name, own in found.items()
            }
            updates += 1
            idle = [unit.name for unit in self._units if unit.name not in factors]
            if idle and not self.factors:
                warnings.warn(say(NOT_SEEN, names=", ".join(idle)), stacklevel=2)
        if factors and (due(step, self.inverse_every) or not inverted):
            inverted = {name: self._inverted(name, own, step) for name, own in factors.items()}
        return factors, inverted, updates

    def _inverted(self, name: str, factors: Factors, step: int) -> Factors:
        if self.form == "kronecker":
            return inverses(factors, self.damping_now)
        try:
            return basis(factors)
        except torch.linalg.LinAlgError as error:
            raise Diverged(SINGULAR, layer=name, step=step + 1) from error

    def _statistics(self, objective: Objective, batches: Sequence[Batch], run: Run) -> dict[str, Factors]:
        """A and G of each layer that worked, over all micro-batches and processes: means over vectors, and over what the loss counts."""
        sums: dict[str, Factors] = {}
        vectors: dict[str, float] = {}
        count: Any = 0.0
        with run.placement.aside(), unkeyed():
            for batch in batches:
                with Seen(run.model, self._units, len(batch.ids)) as seen, run.placement.precision.autocast():
                    loss = objective(run.model, batch)
                per, present = next(iter(loss.terms.values()))[1], batch.counts["once"]  # 0: it stands in for another process's
                count = count + batch.counts[per]
                roots, columns = self._roots(seen, loss, batch, run)
                outputs = [output for _, _, output in seen.calls]
                for number, column in enumerate(columns):
                    more = number + 1 < len(columns)
                    found = torch.autograd.grad(roots, outputs, column, retain_graph=more, allow_unused=True)
                    for (unit, _, _), g in zip(seen.calls, found):
                        if g is not None:
                            flat = unit.outputs(wide(g))
                            own = sums.setdefault(unit.name, {})
                            moment = flat.T @ flat * present
                            own["G"] = own["G"] + moment if "G" in own else moment
                for unit, x, _ in seen.calls:
                    moment, number = unit.second_moment(wide(x))
                    own = sums.setdefault(unit.name, {})
                    own["A"] = own["A"] + moment * present if "A" in own else moment * present
                    vectors[unit.name] = vectors.get(unit.name, 0.0) + number * present
        add = run.placement.sum
        whole = add(count)
        whole = whole.clamp(min=1e-30) if isinstance(whole, Tensor) else max(whole, 1e-30)
        return {
            name: {"A": add(own["A"]) / max(add(vectors[name]), 1.0), "G": add(own["G"]) / whole}
            for name, own in sums.items()
            if "G" in own
        }

    def _roots(self, seen: Seen, loss: Any, batch: Batch, run: Run) -> tuple[list[Tensor], list[list[Tensor | None]]]:
        """What to differentiate, and each gradient to start with."""
        if self.fisher == "empirical":
            terms = [value for value, _ in loss.terms.values() if value.requires_grad]
            return terms, [[None] * len(terms)]
        output = seen.logits
        if isinstance(output, str):
            raise Refused(NO_OUTPUT, fisher=self.fisher, found=output)
        key = (run.seed, "kfac", batch.step)
        columns = gradients(wide(output), batch, run.data.facts.task, self.fisher, key, run.criterion.ignore_index)
        return [output], [[column.to(output.dtype)] for column in columns]

    # ---- the gradient ----

    @torch.no_grad()
    def _precondition(self, run: Run, keep: bool) -> None:
        """Put the preconditioned gradients in place of the plain ones, of which copies are kept if asked for."""
        _, inverted, _ = self._next
        self._slopes: dict[str, Tensor] = {}
        made: list[tuple[Unit, Tensor]] = []
        lengths: list[Tensor] = []
        rate = rates(run.optimizer)
        for unit in self._units:
            if unit.name in inverted and (plain := unit.gradient(run.placement.full)) is not None:
                own, found = wide(plain), inverted[unit.name]
                if keep:
                    self._slopes[unit.name] = own.clone()
                value = by_inverses(own, found) if self.form == "kronecker" else by_basis(own, found, self.damping_now)
                made.append((unit, value))
                lengths.append((own * value).sum() * rate.get(id(unit.layer.weight), 0.0) ** 2)
        bound: Any = share(lengths, self.trust) if self.trust is not None and lengths else 1.0
        for unit, value in made:
            unit.set_gradient(value * bound, run.placement.put_in)

    def _adapt(self, before: Outcome, after: Outcome, weights: dict[str, Tensor], slopes: dict[str, Tensor], run: Run) -> None:
        """Less damping where the loss fell at least as the quadratic model said, more where it did not (Levenberg and Marquardt's rule)."""
        foretold = torch.zeros_like(self.damping_now)
        for unit in self._units:
            if unit.name in slopes and unit.name in self.factors:
                moved = wide(unit.weights(run.placement.full) - weights[unit.name])
                bend = quadratic(moved, self.factors[unit.name]) + self.damping_now * moved.square().sum()
                foretold = foretold + ((slopes[unit.name] * moved).sum() + 0.5 * bend).to(foretold)
        change = (after.loss - before.loss).to(foretold)
        ratio = torch.where(change.isfinite(), change / foretold, torch.zeros_like(change))
        factor, now = GROWTH**self.adapt_every, self.damping_now
        new = torch.where(ratio > 0.75, (now * factor).clamp(min=1e-10), torch.where(ratio < 0.25, (now / factor).clamp(max=1e6), now))
        # Where no fall was foretold, other parts of the recipe (momentum, a penalty) led the step: nothing can be learned of it.
        self.damping_now = torch.where(foretold < 0, new, now)

    @classmethod
    def example(cls) -> KFAC:
        return cls(damping=1e-2, factor_every=2, inverse_every=2, adapt_every=3)


def due(step: int, every: int) -> bool:
    """Whether what is renewed every `every` steps is renewed now; at first after 1, 2, 4, 8 ... steps.

    The factors of the first batch know only as many directions as it has rows: along all others a step is divided by the damping alone.
    (On the MNIST autoencoder of `bench/optimisers.py`, 100 steps at the defaults and a rate of 0.1 end at 117 instead of 271; one seed.)
    """
    return step % every == 0 or (step < every and step & (step - 1) == 0)


def _blended(old: Tensor | None, new: Tensor, keep: float, sound: Tensor | None) -> Tensor:
    """The running mean; what it was where the new statistics are not finite. (Nothing is read from the device.)"""
    old = torch.zeros_like(new) if old is None else old
    mean = keep * old + (1 - keep) * new
    return mean if sound is None else torch.where(sound, mean, old)
