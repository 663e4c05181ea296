"""Losses for classes: the class dimension is the last of the output, any dimensions may come before it (rows; rows and positions)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from danlu import messages
from danlu.core import Batch, Loss
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.fields import Fraction, NonNegative, Positive
from danlu.losses.criterion import Criterion, constant, exact, logits, number, paired, term, wide


@dataclass(frozen=True)
class CrossEntropy:
    """Cross-entropy of softmax scores with class labels, or with probabilities over the classes (soft targets).

    Output [..., classes]; labels int [...] or probabilities float [..., classes]. Over any batch the mean is that of
    `torch.nn.functional.cross_entropy`: divided by the labels that are not ignored ("tokens"), with class weights by the sum of their
    weights ("weights"); with soft targets by the positions in either case.
    Label smoothing: Szegedy et al. 2016, "Rethinking the Inception architecture".

    class_weights: one weight a class, or "balanced": rows / (classes * rows of the class)
        ｜ 每个类别一个权重；"balanced" 为总行数 / （类别数 × 该类行数）
    label_smoothing: share of the target spread evenly over all classes ｜ 标签平滑：目标概率中均摊给所有类别的份额
    ignore_index: the label of positions that do not count ｜ 忽略标签：标签为此值的位置不计入

    中文: 交叉熵（类别标签或概率目标，可设类别权重、标签平滑与忽略标签）。

    中文: 输出为 `[..., classes]`；目标为整数标签 `[...]`，或概率 `[..., classes]`。
    任何一批上的均值都与 `torch.nn.functional.cross_entropy` 相同：除以未被忽略的标签数（`tokens`），
    有类别权重时除以这些标签的权重之和（`weights`）；目标为概率时，两种情况都除以位置数。标签平滑出自 Szegedy et al. 2016，
    “Rethinking the Inception architecture”。
    Scope: 1.2
    """

    class_weights: tuple[NonNegative, ...] | Literal["balanced"] | None = None
    label_smoothing: Fraction = 0.0
    ignore_index: int = -100

    def __call__(self, facts: Facts) -> Criterion:
        _several("cross_entropy", facts)
        weights = _class_weights(self.class_weights, facts)
        at = None if weights is None else constant(weights)
        per = "tokens" if at is None else "weights"
        smoothing, ignore = self.label_smoothing, self.ignore_index
        plain = at is None and smoothing == 0.0
        all_count = facts.labelled and ignore < 0

        def sums(output: Any, batch: Batch) -> Loss:
            target = batch.targets
            if plain and type(output) is Tensor and output.ndim == 2 and _simple(output, target):
                return Loss({"cross_entropy": (F.cross_entropy(output, target, ignore_index=ignore, reduction="sum"), per)})
            scores, target = _labelled(logits(output), target)
            if scores.ndim != 2:
                classes = scores.shape[-1]
                scores = scores.reshape(-1, classes)
                target = target.reshape(-1, classes) if target.is_floating_point() else target.reshape(-1)
            weight = None if at is None else at(scores.device, scores.dtype)
            # torch wants no ignore_index beside probabilities; its default is let through
            ignored = -100 if target.is_floating_point() else ignore
            value = F.cross_entropy(scores, target, weight, ignore_index=ignored, reduction="sum", label_smoothing=smoothing)
            return term("cross_entropy", value, per)

        def counts(batch: Batch) -> dict[str, Any]:
            target = batch.targets
            if at is None:
                return {"tokens": target.numel() if all_count and not target.is_floating_point() else _tokens(target, ignore)}
            if target.is_floating_point():
                return {"weights": float(_tokens(target, ignore))}
            real = target != ignore
            weight = at(target.device, exact(target.device))[target.long().masked_fill(~real, 0)]
            return {"weights": number((weight * real).sum())}

        return Criterion(sums, counts, loss_name="cross_entropy", ignore_index=ignore)


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """Cross-entropy of sigmoid scores with yes or no: one score for a binary task, one a label for a multi-label task.

    Output and targets [rows] or [rows, labels], targets 0 to 1; two-class scores [rows, 2] with labels [rows] are read as the logit of
    class 1 (their difference), which is the same model. The mean is over elements.

    pos_weight: weight of the positives, one number for all labels or one a label ｜ 正例的权重，所有标签共用一个数，或每个标签一个

    中文: 二元交叉熵（二分类与多标签，可设正例权重）。

    中文: 输出与目标为 `[rows]` 或 `[rows, labels]`，目标在 0 到 1 之间；得分为两类的 `[rows, 2]`、标签为 `[rows]` 时，
    取两个得分之差作为类别 1 的 logit，模型并无不同。均值对所有元素取。
    Scope: 1.2
    """

    pos_weight: Positive | tuple[Positive, ...] | None = None

    def __call__(self, facts: Facts) -> Criterion:
        labels = facts.outputs if facts.task == "multilabel" else 1
        if isinstance(self.pos_weight, tuple) and len(self.pos_weight) != labels:
            raise BadInput(messages.WEIGHTS_LENGTH, field="pos_weight", found=len(self.pos_weight), classes=labels)
        at = None if self.pos_weight is None else constant(self.pos_weight)

        def sums(output: Any, batch: Batch) -> Loss:
            score, target = _binary(logits(output), batch.targets)
            weight = None if at is None else at(score.device, score.dtype)
            return term(
                "binary_cross_entropy", F.binary_cross_entropy_with_logits(score, target, pos_weight=weight, reduction="sum"), "elements"
            )

        return Criterion(sums, _elements, loss_name="binary_cross_entropy", probabilities=True)


@dataclass(frozen=True)
class Focal:
    """Focal loss: cross-entropy in which examples that are already right count less.

    Lin et al. 2017, "Focal loss for dense object detection": -alpha (1 - p)^gamma log p, where p is the probability of what is true:
    of the class under softmax when the task is "classify" (or language), of each label's yes or no under a sigmoid when it is "multilabel".
    Shapes and denominators as in `cross_entropy` without weights ("tokens") and `binary_cross_entropy` ("elements"). The paper divides by
    the number of positive boxes; here it is the mean.

    gamma: how fast easy examples lose weight; 0 is cross-entropy ｜ 易分样本的权重降得多快；0 即交叉熵
    alpha: softmax: one weight a class; sigmoid: weight of the positives, the negatives have 1 - alpha (0.25 in the paper)
        ｜ softmax 时为每个类别一个权重；sigmoid 时为正例的权重，负例取 1 - alpha（论文为 0.25）
    ignore_index: the label of positions that do not count (softmax) ｜ 忽略标签：标签为此值的位置不计入（用于 softmax）

    中文: 焦点损失：降低易分样本的权重。

    中文: 出自 Lin et al. 2017，“Focal loss for dense object detection”：`-alpha (1 - p)^gamma log p`，p 是真实情况的概率：
    任务为 `classify`（或语言模型）时是真实类别的 softmax 概率，为 `multilabel` 时是每个标签真值（是或否）的 sigmoid 概率。
    形状与分母分别同不带权重的 `cross_entropy`（`tokens`）与 `binary_cross_entropy`（`elements`）。论文除以正例框的个数，这里取均值。
    Scope: 1.2
    """

    gamma: NonNegative = 2.0
    alpha: Fraction | tuple[NonNegative, ...] | None = None
    ignore_index: int = -100

    def __call__(self, facts: Facts) -> Criterion:
        sigmoid = facts.task == "multilabel"
        if self.alpha is not None and isinstance(self.alpha, tuple) == sigmoid:
            raise BadInput(messages.FOCAL_ALPHA, task=facts.task, found=self.alpha)
        gamma, alpha, ignore = self.gamma, self.alpha, self.ignore_index

        def focal(log_p: Tensor) -> Tensor:
            # 1 - p by expm1 keeps its digits as p goes to 1; off zero, where the slope of x ** gamma is infinite for gamma < 1
            miss = (-torch.expm1(log_p)).clamp_min(torch.finfo(log_p.dtype).eps ** 2)
            return -(miss**gamma) * log_p

        share = alpha if isinstance(alpha, float | int) else 1.0

        def sigmoid_sums(output: Any, batch: Batch) -> Loss:
            score, target = _binary(logits(output), batch.targets)
            yes, no = focal(F.logsigmoid(score)), focal(F.logsigmoid(-score))
            if alpha is not None:
                yes, no = share * yes, (1 - share) * no
            return term("focal", (target * yes + (1 - target) * no).sum(), "elements")

        if sigmoid:
            return Criterion(sigmoid_sums, _elements, loss_name="focal")
        _several("focal", facts)
        weights = _class_weights(alpha, facts, "alpha")
        at = None if weights is None else constant(weights)

        def softmax_sums(output: Any, batch: Batch) -> Loss:
            scores, target = _labelled(logits(output), batch.targets)
            losses = focal(F.log_softmax(scores, -1))
            if at is not None:
                losses = losses * at(losses.device, losses.dtype)
            return term("focal", _expected(losses, target, ignore), "tokens")

        return Criterion(softmax_sums, lambda batch: {"tokens": _tokens(batch.targets, ignore)}, loss_name="focal", ignore_index=ignore)


@dataclass(frozen=True)
class Hinge:
    """Hinge loss of several classes: the true score must beat the others, or a threshold, by a margin.

    crammer_singer (Crammer and Singer 2001): max(0, margin + best other score - true score).
    one_vs_rest: sum over classes of max(0, margin - t * score) with t = +1 for the true class and -1 for the others; the only one for
    multi-label targets. Shapes as in `cross_entropy`; the mean is over
    positions that are not ignored ("tokens"), of multi-label rows over elements. Soft targets give the expected loss.

    kind: which of the two ｜ 用哪一种合页损失
    margin: by how much the true class must win ｜ 间隔：正确类别的得分须领先多少
    ignore_index: the label of positions that do not count ｜ 忽略标签：标签为此值的位置不计入

    中文: 合页损失（Crammer-Singer 多类，或一对其余）。

    中文: crammer_singer（Crammer and Singer 2001）：`max(0, margin + best other score - true score)`，
    即正确类别的得分须超过其余类别的最高分至少 margin。one_vs_rest：对各类别求 `max(0, margin - t * score)` 之和，正确类别的 `t = +1`，
    其余为 `-1`；多标签目标只能用这一种。形状同 `cross_entropy`；均值对未被忽略的位置（`tokens`）取，多标签时对所有元素取。
    目标为概率时得到损失的期望。
    Scope: 1.2
    """

    kind: Literal["crammer_singer", "one_vs_rest"] = "crammer_singer"
    margin: Positive = 1.0
    ignore_index: int = -100

    def __call__(self, facts: Facts) -> Criterion:
        margin, ignore = self.margin, self.ignore_index

        def labels(output: Any, batch: Batch) -> Loss:
            score, target = _binary(logits(output), batch.targets)
            value = target * F.relu(margin - score) + (1 - target) * F.relu(margin + score)
            return term("hinge", value.sum(), "elements")

        def crammer_singer(scores: Tensor) -> Tensor:
            best, second = scores.topk(2, -1).values.split(1, -1)
            return F.relu(margin + torch.where(scores == best, second, best) - scores)

        def one_vs_rest(scores: Tensor) -> Tensor:
            wrong = F.relu(margin + scores)
            return wrong.sum(-1, keepdim=True) - wrong + F.relu(margin - scores)

        if facts.task == "multilabel":
            if self.kind != "one_vs_rest":
                raise BadInput(messages.HINGE_MULTILABEL, kind=self.kind)
            return Criterion(labels, _elements, loss_name="hinge")
        _several("hinge", facts)
        losses: Callable[[Tensor], Tensor] = crammer_singer if self.kind == "crammer_singer" else one_vs_rest

        def sums(output: Any, batch: Batch) -> Loss:
            scores, target = _labelled(logits(output), batch.targets)
            return term("hinge", _expected(losses(scores), target, ignore), "tokens")

        return Criterion(sums, lambda batch: {"tokens": _tokens(batch.targets, ignore)}, loss_name="hinge", ignore_index=ignore)


def _class_weights(wish: Any, facts: Facts, name: str = "class_weights") -> tuple[float, ...] | None:
    if wish is None:
        return None
    if wish == "balanced":
        if not facts.class_counts or 0 in facts.class_counts:
            raise BadInput(messages.NOT_BALANCED, found=facts.class_counts or "-")
        return tuple(sum(facts.class_counts) / (len(facts.class_counts) * count) for count in facts.class_counts)
    if len(wish) != facts.outputs:
        raise BadInput(messages.WEIGHTS_LENGTH, field=name, found=len(wish), classes=facts.outputs)
    return tuple(wish)


def _several(loss: str, facts: Facts) -> None:
    """A softmax over one score is 1 whatever the score: its loss is zero, and nothing would be learned."""
    if facts.outputs < 2:
        raise BadInput(messages.TWO_CLASSES, loss=loss, found=facts.outputs)


def _simple(scores: Tensor, target: Tensor) -> bool:
    """One int64 label a row of float32 scores: what torch takes as it is. (The general way costs 6 us of a 150 us step.)"""
    return scores.dtype is torch.float32 and target.dtype is torch.int64 and target.ndim == 1 and len(scores) == len(target)


def _labelled(scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Scores [..., classes] with int64 labels [...] or probabilities [..., classes]."""
    scores = wide(scores)
    if target.is_floating_point():
        if target.shape == scores.shape:
            return scores, target.to(scores.dtype)
    elif target.shape == scores.shape[:-1]:
        return scores, target.long()
    raise BadInput(
        messages.LABEL_SHAPES, output=tuple(scores.shape), target=tuple(target.shape), dtype=str(target.dtype).removeprefix("torch.")
    )


def _binary(score: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """One score and one target in 0..1 a label, in one shape."""
    score = wide(score)
    if score.shape == (*target.shape, 2):
        score = score[..., 1] - score[..., 0]
    return paired(score, target)


def _tokens(target: Tensor, ignore_index: int) -> Any:
    """Positions with a label; probabilities all count."""
    if target.is_floating_point():
        return math.prod(target.shape[:-1])
    if target.is_cpu:  # NumPy counts a small batch in a third of torch's time
        return int(np.count_nonzero(target.numpy() != ignore_index))
    return torch.count_nonzero(target != ignore_index)


def _elements(batch: Batch) -> dict[str, Any]:
    return {"elements": batch.targets.numel()}


def _expected(losses: Tensor, target: Tensor, ignore_index: int) -> Tensor:
    """Sum over positions, given `losses` [..., classes]: what each class would cost if it were the true one."""
    if target.is_floating_point():
        return (losses * target).sum()
    ignored = target == ignore_index
    return losses.gather(-1, target.masked_fill(ignored, 0).unsqueeze(-1)).squeeze(-1).masked_fill(ignored, 0).sum()
