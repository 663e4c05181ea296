"""Metrics of classes: the class dimension is the last of the output; a model with one score a row says class 1 where it is above 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from danlu import messages
from danlu.core import Batch
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.fields import PositiveInt
from danlu.losses.criterion import logits, paired, wide
from danlu.metrics.metric import Metric, defined, ratio


@dataclass(frozen=True)
class Accuracy:
    """Share of positions whose best score is the true class; of multi-label rows, the share with every label right.

    A row whose scores hold NaN is wrong. Of soft targets the most probable class counts as the true one.

    ignore_index: the label of positions that do not count ｜ 忽略标签：标签为此值的位置不计入

    中文: 准确率（多标签时要求整行全对）。

    中文: 得分含 NaN 的行算错。目标为概率（软标签）时，概率最大的类别算作真实类别。
    Scope: 7.1
    """

    ignore_index: int = -100

    def __call__(self, facts: Facts) -> Metric:
        def stats(output: Any, batch: Batch) -> dict[str, Any]:
            if facts.task == "multilabel":
                scores, target = _yes_or_no(output, batch.targets)
                right = (((scores > 0) == target) & ~scores.isnan()).flatten(1).all(-1)
                return {"correct": right.sum(), "count": batch.ids.new_tensor(len(right))}
            scores, target = _labelled(output, batch.targets)
            best, guess = scores.max(-1)
            real = target != self.ignore_index
            return {"correct": ((guess == target) & real & ~best.isnan()).sum(), "count": real.sum()}

        return Metric(
            "accuracy", stats, lambda stats: {"accuracy": ratio(stats["correct"], stats["count"])}, True, messages.UNDEFINED_LABELS
        )


@dataclass(frozen=True)
class TopK:
    """Share of positions whose true class is among the k best scores.

    k: how many guesses are allowed ｜ 正确类别排在得分的前几名之内就算对
    ignore_index: the label of positions that do not count ｜ 忽略标签：标签为此值的位置不计入

    中文: 前 k 准确率。
    Scope: 7.1
    """

    k: PositiveInt = 5
    ignore_index: int = -100

    def __call__(self, facts: Facts) -> Metric:
        if self.k >= facts.outputs:
            raise BadInput(messages.TOP_K, k=self.k, classes=facts.outputs)
        name = f"top{self.k}_accuracy"

        def stats(output: Any, batch: Batch) -> dict[str, Any]:
            scores, target = _labelled(output, batch.targets)
            best, guesses = scores.topk(self.k, -1)
            real = target != self.ignore_index
            among = (guesses == target.unsqueeze(-1)).any(-1) & ~best[..., 0].isnan()
            return {"correct": (among & real).sum(), "count": real.sum()}

        return Metric(name, stats, lambda stats: {name: ratio(stats["correct"], stats["count"])}, True, messages.UNDEFINED_LABELS)


@dataclass(frozen=True)
class F1:
    """F1 score: harmonic mean of precision and recall, 2 tp / (2 tp + fp + fn).

    macro: mean over classes that were seen or guessed (of multi-label columns, all); a class without a hit has 0. micro: of all counts
    together. weighted: mean over classes by their rows. Named f1, f1_micro, f1_weighted.

    average: how classes are put together ｜ 各类别的 F1 如何合并
    ignore_index: the label of positions that do not count ｜ 忽略标签：标签为此值的位置不计入

    中文: F1 分数（宏平均、微平均或按类别加权）。

    中文: macro：对出现过或被预测过的类别取平均（多标签时为所有列），从未命中的类别记 0；micro：各类计数合在一起再算；weighted：
    按各类的行数加权平均。指标名分别为 f1、f1_micro、f1_weighted。
    Scope: 7.1
    """

    average: Literal["macro", "micro", "weighted"] = "macro"
    ignore_index: int = -100

    def __call__(self, facts: Facts) -> Metric:
        name = "f1" if self.average == "macro" else f"f1_{self.average}"
        multilabel = facts.task == "multilabel"

        def stats(output: Any, batch: Batch) -> dict[str, Any]:
            if multilabel:
                scores, target = _yes_or_no(output, batch.targets)
                guess, target = (x.reshape(len(x), -1) for x in (scores > 0, target))
                return {"hits": (guess & target).sum(0), "guessed": guess.sum(0), "actual": target.sum(0)}
            scores, target = _labelled(output, batch.targets)
            real, classes = (target != self.ignore_index).flatten(), scores.shape[-1]
            # positions without a label are counted in one class more, which is then dropped
            guess = scores.argmax(-1).flatten().where(real, classes)
            actual = target.flatten().where(real, classes)
            hits = actual.where(guess == actual, classes)
            names = ("hits", hits), ("guessed", guess), ("actual", actual)
            return {key: torch.bincount(value, minlength=classes + 1)[:classes] for key, value in names}

        def finish(stats: dict[str, Tensor]) -> dict[str, float | None]:
            hits, guessed, actual = (stats[key].cpu().double() for key in ("hits", "guessed", "actual"))
            if self.average == "micro":
                return {name: ratio(2 * hits.sum(), (guessed + actual).sum())}
            each = 2 * hits / (guessed + actual).clamp_min(1)
            weight = actual if self.average == "weighted" else torch.ones_like(each) if multilabel else (guessed + actual > 0).double()
            return {name: ratio((each * weight).sum(), weight.sum())}

        return Metric(name, stats, finish, True, messages.UNDEFINED_LABELS)


@dataclass(frozen=True)
class AUROC:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Exact, by ranks (Mann and Whitney 1947), over all rows at once. More than two classes: one against the rest on softmax probabilities,
    averaged over the classes that have both sides (macro); multi-label: averaged over labels. Undefined if none has both.

    ignore_index: the label of positions that do not count ｜ 忽略标签：标签为此值的位置不计入

    中文: ROC 曲线下面积（精确秩统计，含并列；多类取一对其余宏平均）。

    中文: 对全部行一次按秩精确计算（Mann and Whitney 1947）。多于两类时，用 softmax 概率逐类一对其余，再对正负例俱全的类别取平均（宏平均）；
    多标签时对各标签取平均。没有一类正负例俱全时无定义。
    Scope: 7.1
    """

    ignore_index: int = -100

    def __call__(self, facts: Facts) -> Metric:
        multilabel = facts.task == "multilabel"

        def stats(output: Any, batch: Batch) -> dict[str, Any]:
            if multilabel:
                scores, target = _yes_or_no(output, batch.targets)
                return {"scores": [scores.reshape(len(scores), -1)], "targets": [target.reshape(len(target), -1)]}
            scores, target = _labelled(output, batch.targets)
            return {"scores": [scores.flatten(0, -2)], "targets": [target.flatten()]}

        def finish(stats: dict[str, Tensor]) -> dict[str, float | None]:
            scores, target = (stats[key].cpu() for key in ("scores", "targets"))
            scores = scores.double()
            if not multilabel:
                real = target != self.ignore_index
                scores, target = scores[real], target[real]
                if scores.shape[-1] == 2:  # the difference orders rows as the probability does, and does not saturate
                    scores, target = (scores[:, 1] - scores[:, 0]).unsqueeze(-1), (target == 1).unsqueeze(-1)
                else:
                    scores, target = F.softmax(scores, -1), F.one_hot(target, scores.shape[-1]).bool()
            areas = [a for a in map(area_under_roc, scores.unbind(-1), target.unbind(-1)) if a is not None]
            finite = not bool(scores.isnan().any())
            return {"auroc": defined(sum(areas) / len(areas)) if areas and finite else None}

        return Metric("auroc", stats, finish, True, messages.UNDEFINED_AUROC)


def area_under_roc(scores: Tensor, positive: Tensor) -> float | None:
    """Area under the ROC curve of `scores` [rows] for the rows where `positive` (bool [rows]); None unless there are rows of both kinds."""
    positives = int(positive.sum())
    negatives = len(scores) - positives
    if not positives or not negatives:
        return None
    _, place, ties = scores.unique(return_inverse=True, return_counts=True)
    last = ties.cumsum(0).double()
    rank = (last - (ties - 1) / 2)[place]  # the mean of the ranks that tied rows share, from 1
    return float((rank[positive].sum() - positives * (positives + 1) / 2) / positives / negatives)


def _labelled(output: Any, target: Tensor) -> tuple[Tensor, Tensor]:
    """Scores [..., classes] and int64 labels [...]; one score z a row becomes (0, z), probabilities their most probable class."""
    scores = wide(logits(output))
    if scores.shape == (*target.shape, 1) or (scores.shape == target.shape and scores.shape[1:] in ((), (1,))):
        scores = scores.reshape(target.shape)
        if target.is_floating_point():
            if bool(((target < 0) | (target > 1)).any()):
                raise BadInput(messages.NO_LABELS, low=float(target.min()), high=float(target.max()))
            target = target > 0.5
        scores, target = torch.stack([torch.zeros_like(scores), scores], -1).reshape(-1, 2), target.reshape(-1)
    elif target.is_floating_point() and target.shape == scores.shape:
        target = target.argmax(-1)
    if target.shape != scores.shape[:-1]:
        found = str(target.dtype).removeprefix("torch.")
        raise BadInput(messages.LABEL_SHAPES, output=tuple(scores.shape), target=tuple(target.shape), dtype=found)
    return scores, target.long()


def _yes_or_no(output: Any, target: Tensor) -> tuple[Tensor, Tensor]:
    """One score and one bool a label, in one shape."""
    scores, target = paired(wide(logits(output)), target)
    return scores, target > 0.5
