"""MixUp: who is paired with whom, the law of the shares, and that no split changes them."""

import pytest
import torch
import torch.nn.functional as F
import toys
from scipy import stats

from danlu.core import Batch, Run
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import Refused
from danlu.techniques.stream.mixup import MixUp
from danlu.techniques.stream.mixup import shares as blended


def streams(run):
    """The batches of all steps, as they are and mixed."""
    raw = run.placement.stream(run.data.train, run.plan, 0, run.total)
    return list(raw), list(run.wrap("stream", run.placement.stream(run.data.train, run.plan, 0, run.total)))


@pytest.mark.parametrize("rows", [8, 7])
def test_neighbours_are_blended_with_one_share_for_inputs_and_targets(rows):
    run = Run(toys.recipe(MixUp(alpha=1.0), batch_size=rows, data=lambda: toys.made(30)))
    for raw, mixed in zip(*streams(run), strict=True):
        assert torch.equal(raw.ids, mixed.ids) and (raw.step, raw.last, raw.counts) == (mixed.step, mixed.last, mixed.counts)
        targets = F.one_hot(raw.targets, 3).double()
        for k in range(len(raw.ids)):
            pair = k ^ 1 if k ^ 1 < len(raw.ids) else k
            a, b = raw.inputs[k], raw.inputs[pair]
            if pair == k:
                assert torch.equal(mixed.inputs[k], a) and torch.allclose(mixed.targets[k].double(), targets[k])
                continue
            share = ((mixed.inputs[k] - b) @ (a - b) / ((a - b) @ (a - b))).item()
            assert 0 <= share <= 1
            assert torch.allclose(mixed.inputs[k], share * a + (1 - share) * b, atol=1e-12)
            assert torch.allclose(mixed.targets[k].double(), share * targets[k] + (1 - share) * targets[pair], atol=1e-6)
            if pair > k:  # the other of the pair has the same share of itself
                assert torch.allclose(mixed.inputs[pair], share * b + (1 - share) * a, atol=1e-12)


@pytest.mark.parametrize("alpha", [0.1, 0.2, 1.0, 8.0])
def test_shares_are_beta(alpha):
    ids = torch.arange(6000)
    quantiles = MixUp(alpha=alpha)._quantiles(ids.device)
    shares = blended(quantiles, Batch(None, None, ids, step=3), seed=0)
    assert torch.equal(shares[::2], shares[1::2])
    for at in (0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999):  # beyond, float32 rounds a share to one
        wanted = stats.beta(alpha, alpha).cdf(at)
        assert abs((shares[::2] < at).double().mean() - wanted) < 4 * (wanted * (1 - wanted) / 3000) ** 0.5 + 1e-3
    assert abs(stats.pearsonr(shares[:-2:2], shares[2::2]).statistic) < 5 / 3000**0.5
    later = blended(quantiles, Batch(None, None, ids, step=4), seed=0)
    assert abs(stats.pearsonr(shares[::2], later[::2]).statistic) < 5 / 3000**0.5


@pytest.mark.parametrize("micro", [2, 4, 6])
def test_no_even_split_changes_the_training(micro):
    fields = {"model": toys.normed, "data": lambda: toys.made(37), "batch_size": 16, "steps": 6}
    assert toys.apart(toys.trained(MixUp(alpha=1.0), **fields), toys.trained(MixUp(alpha=1.0), **fields, micro_batch_size=micro)) < 1e-12


def test_the_loss_is_that_of_both_labels_in_their_shares():
    run = Run(toys.recipe(MixUp(alpha=1.0), optimizer=toys.sgd(lr=0.0), loss="auto", steps=1))
    raw, mixed = streams(run)
    targets = F.one_hot(raw[0].targets, 3).double()
    (report,) = run
    scores = run.model(mixed[0].inputs).log_softmax(1)
    share = mixed[0].targets.double()
    assert torch.allclose(share.sum(1), torch.ones(8, dtype=torch.float64)) and not torch.equal(share, targets)
    assert float(report.loss) == pytest.approx(-(share * scores).sum(1).mean().item(), abs=1e-6)


def data(inputs, targets, task, outputs=3, vocab=None):
    return lambda: Data(Tensors(inputs, targets), Facts(task, tuple(inputs.shape[1:]), outputs, vocab=vocab))


G = torch.Generator().manual_seed(0)
X = torch.randn(16, 6, generator=G)


def test_targets_of_every_task_are_blended_as_what_they_are():
    several = (torch.rand(16, 3, generator=G) < 0.5).long()
    whole = torch.randint(0, 50, (16,), generator=G)
    for targets, task, loss in ((several, "multilabel", "auto"), (X[:, :1], "regress", "auto"), (whole, "regress", F.mse_loss)):
        outputs = 3 if task == "multilabel" else 1
        model = lambda outputs=outputs: torch.nn.Linear(6, outputs)
        run = Run(toys.recipe(MixUp(alpha=1.0), data=data(X, targets, task, outputs), model=model, loss=loss, batch_size=16, steps=1))
        (raw,), (mixed,) = streams(run)
        assert mixed.targets.is_floating_point() and mixed.targets.shape == targets.shape
        ordered = raw.targets.double().view(8, 2, -1)
        inside = mixed.targets.double().view(8, 2, -1)
        assert (inside <= ordered.amax(1, keepdim=True) + 1e-6).all() and (inside >= ordered.amin(1, keepdim=True) - 1e-6).all()
        assert torch.allclose(inside.sum(1), ordered.sum(1), atol=1e-4)  # a pair keeps its sum
        list(run)


@pytest.mark.parametrize("inputs, facts, fields, words", [
    (torch.randint(0, 9, (16, 6), generator=G), ("language", 9, 9), {}, "language"),
    (X, ("classify", 3, None), {"micro_batch_size": 3}, "even"),
])  # fmt: skip
def test_what_cannot_be_blended_is_refused(inputs, facts, fields, words):
    task, outputs, vocab = facts
    labels = torch.randint(0, 3, (16, 6) if task == "language" else (16,), generator=G)
    model = (lambda: torch.nn.Embedding(9, 9)) if task == "language" else toys.net
    run = Run(toys.recipe(MixUp(), data=data(inputs, labels, task, outputs, vocab), model=model, loss="auto", **fields))
    with pytest.raises(Refused, match=words):
        next(iter(run))


def test_whole_numbers_are_no_inputs_to_blend():
    class Net(torch.nn.Linear):
        def forward(self, x):
            return super().forward(x.double())

    labels = torch.randint(0, 3, (16,), generator=G)
    pixels = torch.randint(0, 255, (16, 6), generator=G, dtype=torch.uint8)
    run = Run(toys.recipe(MixUp(), data=data(pixels, labels, "classify"), model=lambda: Net(6, 3), batch_size=8))
    with pytest.raises(Refused, match="inputs"):
        next(iter(run))
