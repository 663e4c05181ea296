"""Every metric against scikit-learn or a closed form, over batches of any size; and None, never NaN, where it is undefined."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn import metrics as sk

from danlu.core import Batch
from danlu.data.source import Facts
from danlu.errors import BadInput, say
from danlu.metrics.classification import AUROC, F1, Accuracy, TopK
from danlu.metrics.language import BitsPerByte, Perplexity
from danlu.metrics.metric import metrics_for
from danlu.metrics.regression import MAE, R2, RMSE

torch.set_num_threads(1)

TWO, FIVE = Facts("classify", (4,), 2), Facts("classify", (4,), 5)
LABELS = Facts("multilabel", (4,), 3)
NUMBERS = Facts("regress", (4,), 2, shift=3.0, scale=7.0)
TOKENS = Facts("language", (6,), 5, bytes_per_token=2.5)


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def labels(seed, *shape, classes=5):
    return torch.randint(0, classes, shape, generator=torch.Generator().manual_seed(seed))


def value(description, facts, output, target, sizes=(3, 1, 20, 1000)):
    """The metric over uneven batches, put together as the placement does."""
    metric, total, start = description(facts), {}, 0
    for size in sizes:
        part = slice(start, start + size)
        start += size
        if len(target[part]):
            batch = Batch(None, target[part], torch.arange(len(target[part])))
            for key, stat in metric.stats(output[part], batch).items():
                total[key] = stat if key not in total else total[key] + stat
    found = metric.finish({key: torch.cat(stat) if isinstance(stat, list) else stat for key, stat in total.items()})
    assert list(found) == [metric.name] and say(metric.undefined)
    return found[metric.name]


def test_accuracy_and_top_k():
    output, target = draw(0, 60, 5), labels(1, 60)
    assert value(Accuracy(), FIVE, output, target) == pytest.approx(sk.accuracy_score(target, output.argmax(-1)))
    assert value(TopK(3), FIVE, output, target) == pytest.approx(sk.top_k_accuracy_score(target, output, k=3, labels=range(5)))
    masked = target.where(torch.arange(60) % 3 > 0, -100)
    real = masked >= 0
    assert value(Accuracy(), FIVE, output, masked) == pytest.approx(sk.accuracy_score(target[real], output[real].argmax(-1)))
    assert value(TopK(2), FIVE, output, masked) == pytest.approx(sk.top_k_accuracy_score(target[real], output[real], k=2, labels=range(5)))
    assert value(Accuracy(), FIVE, output, F.one_hot(target, 5).float() * 0.8 + 0.04) == value(Accuracy(), FIVE, output, target)
    assert value(Accuracy(), FIVE, {"logits": output}["logits"].view(12, 5, 5), target.view(12, 5)) == value(
        Accuracy(), FIVE, output, target
    )
    column = draw(3, 60, 1)
    yes = labels(4, 60, classes=2)
    assert value(Accuracy(), TWO, column, yes) == pytest.approx(sk.accuracy_score(yes, column[:, 0] > 0))
    rows, many = draw(5, 60, 3), labels(6, 60, 3, classes=2)
    assert value(Accuracy(), LABELS, rows, many) == pytest.approx(sk.accuracy_score(many, rows > 0))


def test_scores_that_are_not_numbers_are_wrong():
    output = torch.full((8, 5), float("nan"))
    assert value(Accuracy(), FIVE, output, torch.zeros(8, dtype=torch.long)) == 0
    assert value(TopK(2), FIVE, output, torch.zeros(8, dtype=torch.long)) == 0
    assert value(Accuracy(), LABELS, output[:, :3], torch.zeros(8, 3)) == 0


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_f1(average):
    output, target = draw(0, 60, 5), labels(1, 60)
    output[:, 3], target[target == 3] = -9, 0  # a class that is neither there nor guessed
    expected = sk.f1_score(target, output.argmax(-1), average=average, zero_division=0)
    assert value(F1(average), FIVE, output, target) == pytest.approx(expected)
    masked = target.where(torch.arange(60) % 3 > 0, -100)
    real = masked >= 0
    expected = sk.f1_score(target[real], output[real].argmax(-1), average=average, zero_division=0)
    assert value(F1(average), FIVE, output, masked) == pytest.approx(expected)
    rows, many = draw(5, 60, 3), labels(6, 60, 3, classes=2)
    many[:, 1], rows[:, 1] = 0, -1
    expected = sk.f1_score(many, rows > 0, average=average, zero_division=0)
    assert value(F1(average), LABELS, rows, many) == pytest.approx(expected)


@pytest.mark.parametrize("ties", [False, True])
def test_auroc(ties):
    rounded = (lambda x: (2 * x).round()) if ties else (lambda x: x)
    output, target = rounded(draw(0, 60, 2)), labels(1, 60, classes=2)
    assert value(AUROC(), TWO, output, target) == pytest.approx(sk.roc_auc_score(target, output[:, 1] - output[:, 0]))
    column = rounded(draw(2, 60, 1))
    assert value(AUROC(), TWO, column, target) == pytest.approx(sk.roc_auc_score(target, column[:, 0]))
    output, target = rounded(draw(3, 90, 5)), labels(4, 90)
    probabilities = output.double().softmax(-1)
    assert value(AUROC(), FIVE, output, target) == pytest.approx(sk.roc_auc_score(target, probabilities, multi_class="ovr"))
    rows, many = rounded(draw(5, 60, 3)), labels(6, 60, 3, classes=2)
    assert value(AUROC(), LABELS, rows, many) == pytest.approx(sk.roc_auc_score(many, rows))


def test_auroc_is_not_saturated():
    output = torch.tensor([[0.0, 100.0], [0.0, 101.0], [0.0, 102.0]])  # all have probability 1 in float32
    assert value(AUROC(), TWO, output, torch.tensor([0, 1, 1])) == 1


def test_regression_is_in_the_users_unit():
    output, target = draw(0, 50, 2), draw(1, 50, 2)
    mine, theirs = (np.asarray(x.double()) * 7 + 3 for x in (output, target))
    assert value(RMSE(), NUMBERS, output, target) == pytest.approx(sk.mean_squared_error(theirs.ravel(), mine.ravel()) ** 0.5)
    assert value(MAE(), NUMBERS, output, target) == pytest.approx(sk.mean_absolute_error(theirs, mine))
    assert value(R2(), NUMBERS, output, target) == pytest.approx(sk.r2_score(theirs, mine))
    assert value(R2(), NUMBERS, output[:, :1], target[:, 0]) == pytest.approx(sk.r2_score(theirs[:, 0], mine[:, 0]))
    with pytest.raises(BadInput):
        value(RMSE(), NUMBERS, output[:, :1], target)


def test_language():
    output, target = draw(0, 30, 6, 5), labels(1, 30, 6)
    target[::4, 2:] = -100
    nll = float(F.cross_entropy(output.view(-1, 5).double(), target.view(-1)))
    assert value(Perplexity(), TOKENS, output, target) == pytest.approx(math.exp(nll))
    assert value(BitsPerByte(), TOKENS, output, target) == pytest.approx(nll / math.log(2) / 2.5)


@pytest.mark.parametrize(
    "description, facts, output, target",
    [
        (Accuracy(), FIVE, draw(0, 4, 5), torch.full((4,), -100)),
        (TopK(2), FIVE, draw(0, 4, 5), torch.full((4,), -100)),
        (F1(), FIVE, draw(0, 4, 5), torch.full((4,), -100)),
        (AUROC(), TWO, draw(0, 4, 2), torch.ones(4, dtype=torch.long)),
        (AUROC(), TWO, draw(0, 4, 2) * float("nan"), torch.tensor([0, 1, 0, 1])),
        (AUROC(), FIVE, draw(0, 4, 5), torch.zeros(4, dtype=torch.long)),
        (AUROC(), LABELS, draw(0, 4, 3), torch.ones(4, 3)),
        (RMSE(), NUMBERS, draw(0, 4, 2) * float("inf"), draw(1, 4, 2)),
        (R2(), NUMBERS, draw(0, 4, 2), torch.full((4, 2), 0.1)),
        (R2(), NUMBERS, draw(0, 1, 2), draw(1, 1, 2)),
        (R2(), NUMBERS, draw(0, 4, 2) * float("nan"), draw(1, 4, 2)),
        (Perplexity(), TOKENS, draw(0, 4, 6, 5), torch.full((4, 6), -100)),
        (Perplexity(), TOKENS, draw(0, 4, 6, 5) * 1e5, labels(1, 4, 6)),
        (BitsPerByte(), TOKENS, draw(0, 4, 6, 5) * float("nan"), labels(1, 4, 6)),
    ],
)
def test_undefined_is_none(description, facts, output, target):
    assert value(description, facts, output, target) is None


@pytest.mark.parametrize(
    "facts, names",
    [
        (TWO, ["accuracy", "auroc"]),
        (FIVE, ["accuracy"]),
        (LABELS, ["f1"]),
        (NUMBERS, ["rmse", "r2"]),
        (TOKENS, ["perplexity", "bits_per_byte"]),
        (Facts("language", (6,), 5), ["perplexity"]),
        (Facts("masked_language", (6,), 5), ["perplexity"]),
    ],
)
def test_the_usual_metrics(facts, names):
    assert [metric.name for metric in metrics_for((), facts)] == names


def test_metrics_for():
    found = metrics_for((TopK(2), F1, Accuracy()(FIVE)), FIVE)
    assert [metric.name for metric in found] == ["top2_accuracy", "f1", "accuracy"]
    for wishes, facts in [
        ((Accuracy(), Accuracy()), FIVE),
        ((3,), FIVE),
        ((TopK(5),), FIVE),
        ((BitsPerByte(),), Facts("language", (6,), 5)),
    ]:
        with pytest.raises(BadInput):
            metrics_for(wishes, facts)
