"""The mean of every loss against torch's own, closed forms, and the sum over any split of a batch against the whole."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from danlu.core import Batch
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.losses.adapt import objective
from danlu.losses.classification import BinaryCrossEntropy, CrossEntropy, Focal, Hinge
from danlu.losses.regression import MAE, MSE, GaussianNLL, Huber, LogCosh, Quantile

torch.set_num_threads(1)

CLASSES = Facts("classify", (4,), 5, class_counts=(10, 20, 5, 40, 25))
LABELS = Facts("multilabel", (4,), 3)
NUMBERS = Facts("regress", (4,), 2)
TOKENS = Facts("language", (6,), 5)


def batch(targets, inputs=None):
    return Batch(torch.zeros(len(targets), 1) if inputs is None else inputs, targets, torch.arange(len(targets)))


def counted(criterion, b):
    return {"rows": len(b.ids), "once": 1.0, **criterion.counts(b)}


def mean(criterion, output, b):
    return criterion.sums(output, b).mean(counted(criterion, b))


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels(seed, *shape, classes=5, ignored=0.3):
    g = torch.Generator().manual_seed(seed)
    drawn = torch.randint(0, classes, shape, generator=g)
    return torch.where(torch.rand(shape, generator=g) < ignored, -100, drawn)


WEIGHTS = (0.5, 2.0, 1.0, 3.0, 0.1)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(7,), (4, 6)])
def test_cross_entropy_is_torchs_mean(weights, smoothing, shape):
    output, target = draw(0, *shape, 5), labels(1, *shape)
    ours = mean(CrossEntropy(weights, smoothing)(CLASSES), output, batch(target))
    tensor = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    theirs = F.cross_entropy(output.view(-1, 5), target.view(-1), tensor, label_smoothing=smoothing)
    torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=0)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("shape", [(7, 5), (4, 6, 5)])
def test_soft_targets_are_torchs_mean(weights, shape):
    output, target = draw(0, *shape), draw(1, *shape).softmax(-1)
    ours = mean(CrossEntropy(weights, 0.2)(CLASSES), output, batch(target))
    tensor = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    theirs = F.cross_entropy(output.view(-1, 5), target.view(-1, 5), tensor, label_smoothing=0.2)
    torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=0)


def test_balanced_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_class_weight

    y = np.repeat(np.arange(5), CLASSES.class_counts)
    expected = torch.tensor(compute_class_weight("balanced", classes=np.arange(5), y=y))
    output, target = draw(0, 9, 5), labels(1, 9)
    ours = mean(CrossEntropy("balanced")(CLASSES), output, batch(target))
    torch.testing.assert_close(ours, F.cross_entropy(output, target, expected), rtol=1e-13, atol=0)


def test_all_labels_ignored_is_zero_with_zero_gradient():
    output = draw(0, 3, 5).requires_grad_()
    value = mean(CrossEntropy(WEIGHTS)(CLASSES), output, batch(torch.full((3,), -100)))
    value.backward()
    assert value == 0 and not output.grad.any()


def test_binary_cross_entropy():
    output, target = draw(0, 6, 3), (draw(1, 6, 3) > 0).long()
    ours = mean(BinaryCrossEntropy((1.0, 2.0, 5.0))(LABELS), output, batch(target))
    theirs = F.binary_cross_entropy_with_logits(output, target.double(), pos_weight=torch.tensor([1.0, 2, 5], dtype=torch.float64))
    torch.testing.assert_close(ours, theirs)
    two, one = draw(2, 6, 2), target[:, 0]  # two-class scores and one logit are the same model
    torch.testing.assert_close(mean(BinaryCrossEntropy()(CLASSES), two, batch(one)), F.cross_entropy(two, one))
    column = draw(3, 6, 1)
    theirs = F.binary_cross_entropy_with_logits(column[:, 0], one.double())
    torch.testing.assert_close(mean(BinaryCrossEntropy()(CLASSES), column, batch(one)), theirs)


def test_focal():
    output, target = draw(0, 8, 5), labels(1, 8)
    torch.testing.assert_close(mean(Focal(gamma=0.0)(CLASSES), output, batch(target)), F.cross_entropy(output, target))
    p = output.softmax(-1)[torch.arange(8), target.clamp_min(0)]
    alpha = torch.tensor(WEIGHTS, dtype=torch.float64)[target.clamp_min(0)]
    by_hand = -(alpha * (1 - p) ** 1.5 * p.log() * (target >= 0)).sum() / (target >= 0).sum()
    torch.testing.assert_close(mean(Focal(1.5, WEIGHTS)(CLASSES), output, batch(target)), by_hand)
    score, yes = draw(2, 6, 3), (draw(3, 6, 3) > 0).double()
    p = torch.where(yes > 0, score.sigmoid(), 1 - score.sigmoid())
    by_hand = -(torch.where(yes > 0, 0.25, 0.75) * (1 - p) ** 2 * p.log()).mean()
    torch.testing.assert_close(mean(Focal(2.0, 0.25)(LABELS), score, batch(yes)), by_hand)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_has_a_finite_slope_where_it_is_sure(gamma):
    output = torch.tensor([[200.0, 0, 0, 0, 0], [-200.0, 0, 0, 0, 0], [0, 0, 0, 0, 0]], requires_grad=True)
    mean(Focal(gamma)(CLASSES), output, batch(torch.tensor([0, 0, 1]))).backward()
    assert output.grad.isfinite().all()


def test_hinge():
    from sklearn.metrics import hinge_loss

    output, target = draw(0, 30, 5), labels(1, 30, ignored=0)
    ours = mean(Hinge()(CLASSES), output, batch(target))
    assert float(ours) == pytest.approx(hinge_loss(target.numpy(), output.numpy(), labels=range(5)), rel=1e-12)
    sign = 2 * F.one_hot(target, 5) - 1
    by_hand = (1.5 - sign * output).clamp_min(0).sum(-1).mean()
    torch.testing.assert_close(mean(Hinge("one_vs_rest", margin=1.5)(CLASSES), output, batch(target)), by_hand)
    yes = (draw(3, 30, 3) > 0).long()
    by_hand = (1 - (2 * yes - 1) * output[:, :3]).clamp_min(0).mean()
    torch.testing.assert_close(mean(Hinge("one_vs_rest")(LABELS), output[:, :3], batch(yes)), by_hand)


@pytest.mark.parametrize("description", [Focal(), Hinge(), Hinge("one_vs_rest")])
def test_soft_targets_of_one_class_are_its_label(description):
    output, target = draw(0, 9, 5), labels(1, 9, ignored=0)
    soft = F.one_hot(target, 5).double()
    criterion = description(CLASSES)
    torch.testing.assert_close(mean(criterion, output, batch(soft)), mean(criterion, output, batch(target)))


@pytest.mark.parametrize(
    "description, torchs",
    [
        (MSE(), F.mse_loss),
        (MAE(), F.l1_loss),
        (Huber(0.7), lambda output, target: F.huber_loss(output, target, delta=0.7)),
        (LogCosh(), lambda output, target: (output - target).cosh().log().mean()),
    ],
)
@pytest.mark.parametrize("shape", [(8,), (8, 2)])
def test_regression(description, torchs, shape):
    output, target = draw(0, *shape), draw(1, *shape)
    criterion = description(NUMBERS)
    torch.testing.assert_close(mean(criterion, output, batch(target)), torchs(output, target))
    if shape == (8,):
        torch.testing.assert_close(mean(criterion, output[:, None], batch(target)), torchs(output, target))
        torch.testing.assert_close(mean(criterion, output, batch(target[:, None])), torchs(output, target))


def test_log_cosh_far_away_is_the_absolute_error():
    output = torch.tensor([1e4, -1e4, 0.0], requires_grad=True)
    value = mean(LogCosh()(NUMBERS), output, batch(torch.zeros(3)))
    value.backward()
    assert float(value) == pytest.approx((2e4 - 2 * math.log(2)) / 3)
    torch.testing.assert_close(output.grad, torch.tensor([1.0, -1.0, 0.0]) / 3)


def test_quantile():
    from sklearn.metrics import mean_pinball_loss

    levels = (0.1, 0.5, 0.8)
    output, target = draw(0, 20, 3), draw(1, 20)
    expected = np.mean([mean_pinball_loss(target.numpy(), output[:, i].numpy(), alpha=q) for i, q in enumerate(levels)])
    criterion = Quantile(levels)(Facts("regress", (4,), 1))
    assert float(mean(criterion, output, batch(target))) == pytest.approx(expected, rel=1e-12)
    assert torch.equal(criterion.point(output), output[:, 1:2])
    output, target = draw(0, 20, 6), draw(1, 20, 2)
    expected = np.mean([mean_pinball_loss(target[:, j], output[:, 3 * j + i], alpha=q) for i, q in enumerate(levels) for j in (0, 1)])
    criterion = Quantile(levels)(NUMBERS)
    assert float(mean(criterion, output, batch(target))) == pytest.approx(expected, rel=1e-12)
    assert torch.equal(criterion.point(output), output[:, [1, 4]]) and Quantile(levels).columns(NUMBERS) == 6


def test_gaussian_nll():
    output, target = draw(0, 20, 4), draw(1, 20, 2)
    log_v = output[:, 2:]
    criterion = GaussianNLL(eps=1e-12)(NUMBERS)
    expected = F.gaussian_nll_loss(output[:, :2], target, log_v.exp())
    torch.testing.assert_close(mean(criterion, output, batch(target)), expected)
    normal = torch.distributions.Normal(output[:, :2], (log_v / 2).exp())
    torch.testing.assert_close(expected, -normal.log_prob(target).mean() - math.log(2 * math.pi) / 2)
    wild = torch.tensor([[0.0, -1e4], [0.0, 1e4]], requires_grad=True)
    mean(GaussianNLL()(Facts("regress", (4,), 1)), wild, batch(torch.ones(2))).backward()
    assert wild.grad.isfinite().all() and torch.equal(criterion.point(output), output[:, :2])


@pytest.mark.parametrize("description", [MSE(), MAE(), Huber(), LogCosh(), F.mse_loss, nn.L1Loss(), BinaryCrossEntropy(), F.kl_div])
@pytest.mark.parametrize("output, target", [((4, 1), (1, 4)), ((4,), (4, 2)), ((4, 3), (4,)), ((4, 4), (4, 1))])
def test_nothing_broadcasts(description, output, target):
    with pytest.raises(BadInput) as error:
        objective(description, NUMBERS).sums(torch.rand(output), batch(torch.rand(target)))
    assert str(output) in str(error.value) and str(target) in str(error.value)


@pytest.mark.parametrize("target", [torch.zeros(4, 1, dtype=torch.long), torch.zeros(4), torch.zeros(4, 5, dtype=torch.long)])
def test_labels_that_do_not_fit(target):
    with pytest.raises(BadInput, match="do not fit"):
        CrossEntropy()(CLASSES).sums(torch.rand(4, 5), batch(target))


@pytest.mark.parametrize(
    "description, facts",
    [
        (CrossEntropy((1.0, 2.0)), CLASSES),
        (CrossEntropy("balanced"), Facts("classify", (1,), 2)),
        (CrossEntropy("balanced"), Facts("classify", (1,), 2, class_counts=(3, 0))),
        (BinaryCrossEntropy((1.0,)), LABELS),
        (Focal(alpha=0.5), CLASSES),
        (Focal(alpha=(0.5, 0.5, 0.5)), LABELS),
        (Hinge(), LABELS),
        (Quantile(()), NUMBERS),
    ],
)
def test_descriptions_that_do_not_fit_the_data(description, facts):
    with pytest.raises(BadInput):
        description(facts)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_sums_do_not_overflow(dtype):
    value = MSE()(NUMBERS).sums(torch.full((64, 2), 100.0, dtype=dtype), batch(torch.zeros(64, 2))).terms["mse"][0]
    assert value.dtype == torch.float32 and float(value) == 64 * 2 * 100**2


EVERY = [
    (CrossEntropy(), CLASSES),
    (CrossEntropy("balanced", 0.1), CLASSES),
    (CrossEntropy(), TOKENS),
    (CrossEntropy(WEIGHTS, 0.1), TOKENS),
    (Focal(), CLASSES),
    (Focal(1.0, WEIGHTS), TOKENS),
    (Focal(2.0, 0.25), LABELS),
    (Hinge(), CLASSES),
    (Hinge("one_vs_rest"), TOKENS),
    (Hinge("one_vs_rest"), LABELS),
    (BinaryCrossEntropy((1.0, 2.0, 3.0)), LABELS),
    (MSE(), NUMBERS),
    (MAE(), NUMBERS),
    (Huber(), NUMBERS),
    (LogCosh(), NUMBERS),
    (Quantile(), NUMBERS),
    (GaussianNLL(), NUMBERS),
    (F.cross_entropy, CLASSES),
    (F.cross_entropy, TOKENS),
    (nn.CrossEntropyLoss(weight=torch.tensor(WEIGHTS), label_smoothing=0.1), TOKENS),
    (nn.MSELoss(), NUMBERS),
    ("auto", CLASSES),
    ("auto", NUMBERS),
]


@pytest.mark.parametrize("loss, facts", EVERY, ids=lambda thing: getattr(thing, "__name__", None) or str(thing))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_the_sum_over_any_split_is_the_whole(loss, facts, data):
    rows, seed = data.draw(st.integers(1, 12)), data.draw(st.integers(0, 2**20))
    pieces = data.draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
    columns = loss.columns(facts) if hasattr(loss, "columns") else facts.outputs
    shape = (rows, 6) if facts is TOKENS else (rows,)
    output = 3 * draw(seed, *shape, columns)
    if facts is NUMBERS:
        target = draw(seed + 1, rows, 2)
    elif facts is LABELS:
        target = (draw(seed + 1, rows, 3) > 0).long()
    else:
        target = labels(seed + 1, *shape)
    criterion = objective(loss, facts)
    whole = batch(target)
    total, counts = criterion.sums(output, whole).terms, counted(criterion, whole)
    apart = dict.fromkeys(total, 0.0)
    apart_counts = {per: 0.0 for _, per in total.values()}
    for piece in range(3):
        ids = torch.tensor([i for i, p in enumerate(pieces) if p == piece], dtype=torch.long)
        if len(ids):
            part = Batch(whole.inputs[ids], target[ids], ids)
            for name, (value, per) in criterion.sums(output[ids], part).terms.items():
                apart[name] += float(value)
                apart_counts[per] += float(counted(criterion, part)[per])
    for name, (value, per) in total.items():
        assert apart[name] == pytest.approx(float(value), rel=1e-10, abs=1e-10)
        assert apart_counts[per] == pytest.approx(float(counts[per]), rel=1e-10)
