"""What `loss=` takes: torch's losses with torch's means, a user's functions, and refusals of what does not add up."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.core import Batch, Loss
from danlu.data.source import Facts
from danlu.errors import BadInput, Refused
from danlu.losses.adapt import additive, batch_loss, check_additive, check_targets, mean_loss, objective
from danlu.losses.classification import CrossEntropy
from danlu.losses.criterion import Criterion, forward

torch.set_num_threads(1)

CLASSES = Facts("classify", (4,), 5)
NUMBERS = Facts("regress", (4,), 2)
TOKENS = Facts("language", (6,), 5)


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def batch(targets, inputs=None):
    rows = len(targets) if inputs is None else len(inputs)
    return Batch(draw(9, rows, 4) if inputs is None else inputs, targets, torch.arange(rows))


def mean(criterion, output, b):
    return criterion.sums(output, b).mean({"rows": len(b.ids), "once": 1.0, **criterion.counts(b)})


LABELS = torch.tensor([0, 3, -100, 1, 4, 2, 2])
WEIGHT = torch.tensor([0.5, 2.0, 1.0, 3.0, 0.1])
SIGNS = torch.tensor([1.0, -1, 1, 1, -1, 1, -1])
ROWS, COLUMNS = draw(0, 7, 5), draw(1, 7, 5)
NATIVE = [
    (nn.CrossEntropyLoss(), F.cross_entropy, ROWS, LABELS),
    (nn.CrossEntropyLoss(WEIGHT, label_smoothing=0.1), partial(F.cross_entropy, weight=WEIGHT, label_smoothing=0.1), ROWS, LABELS),
    (nn.CrossEntropyLoss(WEIGHT), partial(F.cross_entropy, weight=WEIGHT), ROWS, COLUMNS.softmax(-1)),
    (nn.CrossEntropyLoss(ignore_index=2), partial(F.cross_entropy, ignore_index=2), ROWS, LABELS.clamp_min(0)),
    (nn.CrossEntropyLoss(), F.cross_entropy, draw(2, 7, 5, 3, 2), LABELS[:, None, None].expand(7, 3, 2)),
    (nn.NLLLoss(WEIGHT), partial(F.nll_loss, weight=WEIGHT), ROWS.log_softmax(-1), LABELS),
    (nn.MSELoss(), F.mse_loss, ROWS, COLUMNS),
    (nn.L1Loss(), F.l1_loss, ROWS, COLUMNS),
    (nn.SmoothL1Loss(beta=0.5), partial(F.smooth_l1_loss, beta=0.5), ROWS, COLUMNS),
    (nn.HuberLoss(delta=0.5), partial(F.huber_loss, delta=0.5), ROWS, COLUMNS),
    (nn.BCELoss(), F.binary_cross_entropy, ROWS.sigmoid(), COLUMNS.sigmoid()),
    (nn.BCEWithLogitsLoss(pos_weight=WEIGHT), partial(F.binary_cross_entropy_with_logits, pos_weight=WEIGHT), ROWS, COLUMNS.sigmoid()),
    (nn.KLDivLoss(), F.kl_div, ROWS.log_softmax(-1), COLUMNS.softmax(-1)),
    (nn.KLDivLoss(reduction="batchmean"), partial(F.kl_div, reduction="batchmean"), ROWS.log_softmax(-1), COLUMNS.softmax(-1)),
    (nn.SoftMarginLoss(), F.soft_margin_loss, ROWS, COLUMNS.sign()),
    (nn.PoissonNLLLoss(full=True), partial(F.poisson_nll_loss, full=True), ROWS, COLUMNS.abs() * 3),
    (nn.HingeEmbeddingLoss(), F.hinge_embedding_loss, ROWS, COLUMNS.sign()),
    (nn.GaussianNLLLoss(), F.gaussian_nll_loss, (ROWS, COLUMNS.exp()), draw(3, 7, 5)),
    (nn.MultiMarginLoss(), F.multi_margin_loss, ROWS, LABELS.clamp_min(0)),
    (nn.MultiLabelSoftMarginLoss(), F.multilabel_soft_margin_loss, ROWS, (COLUMNS > 0).float()),
    (nn.MarginRankingLoss(0.1), partial(F.margin_ranking_loss, margin=0.1), (ROWS[:, 0], COLUMNS[:, 0]), SIGNS),
    (nn.CosineEmbeddingLoss(), F.cosine_embedding_loss, (ROWS, COLUMNS), SIGNS),
    (nn.TripletMarginLoss(), F.triplet_margin_loss, (ROWS, COLUMNS, draw(3, 7, 5)), None),
]  # fmt: skip


@pytest.mark.parametrize("module, function, output, target", NATIVE, ids=lambda x: type(x).__name__)
def test_torchs_losses_keep_torchs_mean(module, function, output, target):
    outputs = output if isinstance(output, tuple) else (output,)
    if isinstance(module, nn.GaussianNLLLoss):
        expected = module(outputs[0], target, outputs[1])
    else:
        expected = module(*outputs) if target is None else module(*outputs, target)
    b = batch(torch.zeros(7) if target is None else target)
    for loss in (module, function):
        criterion = objective(loss, CLASSES)
        torch.testing.assert_close(mean(criterion, output, b), expected)
        additive(criterion, output, b)
    assert module.reduction in ("mean", "batchmean")  # the user's own is left alone


@pytest.mark.parametrize("loss", [F.cross_entropy, nn.CrossEntropyLoss()])
def test_language_models_have_classes_last(loss):
    output, target = draw(0, 5, 5, 5), torch.randint(0, 5, (5, 5))  # vocabulary, length and rows alike: only the task can tell
    torch.testing.assert_close(mean(objective(loss, TOKENS), output, batch(target)), F.cross_entropy(output.view(-1, 5), target.view(-1)))
    torch.testing.assert_close(mean(objective(loss, CLASSES), output, batch(target)), F.cross_entropy(output, target))


@pytest.mark.parametrize("loss", [F.ctc_loss, nn.CTCLoss()])
def test_a_torch_loss_that_is_not_known_is_refused(loss):
    with pytest.raises(Refused, match=r"ctc_loss|CTCLoss"):
        objective(loss, CLASSES)


@pytest.mark.parametrize(
    "task, name", [("classify", "cross_entropy"), ("language", "cross_entropy"), ("multilabel", "binary_cross_entropy"), ("regress", "mse")]
)
def test_auto(task, name):
    assert objective("auto", Facts(task, (4,), 5)).loss_name == name


def squared(output, target):
    return ((output - target) ** 2).sum()


def squared_rows(output, target):
    return ((output - target) ** 2).sum(-1)


def squared_mean(output, target):
    return ((output - target) ** 2).sum(-1).mean()


class Squared(nn.Module):
    def forward(self, output, target):
        return squared(output, target)


def two_terms(model, b):
    fit = squared(model(b.inputs), b.targets)
    weight = sum((p**2).sum() for p in model.parameters())
    return {"fit": (fit, "elements"), "weight": (weight, "once")}


two_terms.counts = lambda b: {"elements": b.targets.numel()}


def test_functions():
    output, target = draw(0, 7, 2), draw(1, 7, 2)
    expected = squared_mean(output, target)
    for loss in (squared, squared_rows, mean_loss(squared_mean), Squared(), Squared, lambda output, target: squared(output, target)):
        criterion = objective(loss, NUMBERS)
        assert criterion.over == "rows"
        torch.testing.assert_close(mean(criterion, output, batch(target)), expected)
        additive(criterion, output, batch(target))


def test_functions_of_model_and_batch():
    model, b = nn.Linear(4, 2), batch(draw(1, 7, 2))
    criterion = objective(two_terms, NUMBERS)
    loss = criterion(model, b)
    assert isinstance(loss, Loss) and loss.terms["weight"][1] == "once" and criterion.counts(b) == {"elements": 14}
    check_additive(criterion, model, b)
    output, same = criterion.look(model, b)
    assert torch.equal(output, model(b.inputs)) and torch.equal(same.terms["fit"][0], loss.terms["fit"][0])
    whole = objective(lambda model, batch: squared(model(batch.inputs), batch.targets), NUMBERS)
    torch.testing.assert_close(whole(model, b).terms["loss"][0], loss.terms["fit"][0])
    with pytest.raises(Refused, match="runs the model itself"):
        criterion.sums(output, b)


def test_a_factory_of_losses():
    assert objective(lambda facts: CrossEntropy(), CLASSES).loss_name == "cross_entropy"
    assert isinstance(objective(CrossEntropy, CLASSES), Criterion)


def test_a_loss_over_the_batch():
    def spread(output, target):
        return output.var()

    for loss in (batch_loss(spread), spread):
        spread.over = "batch"
        criterion = objective(loss, NUMBERS)
        assert criterion.over == "batch"
        output = draw(0, 7, 2)
        torch.testing.assert_close(mean(criterion, output, batch(draw(1, 7, 2))), output.var())
        check_additive(criterion, nn.Linear(4, 2), batch(draw(1, 7, 2)))


def contrast(output, target):
    return F.cross_entropy(output @ output.T, torch.arange(len(output)), reduction="sum")


@pytest.mark.parametrize(
    "loss, sentence",
    [
        (squared_mean, "this loss is a mean; return a sum, or write mean_loss"),
        (lambda output, target: F.mse_loss(output, target), "this loss is a mean"),
        (contrast, "write batch_loss"),
        (mean_loss(squared), "not a sum over rows"),
        (lambda model, batch: F.mse_loss(model(batch.inputs), batch.targets), "this loss is a mean"),
        (lambda model, batch: {"fit": (squared(model(batch.inputs), batch.targets), "once")}, "once a step but depends on the rows"),
    ],
)
@pytest.mark.parametrize("rows", [1, 2, 3, 8])
def test_what_does_not_add_up_is_refused(loss, sentence, rows):
    if rows == 1 and loss is contrast:
        pytest.skip("one row repeated")
    with pytest.raises(Refused, match=sentence):
        check_additive(objective(loss, NUMBERS), nn.Linear(4, 2), batch(draw(1, rows, 2)))


def test_a_count_that_does_not_add_up_is_refused():
    def loss(output, target):
        return {"fit": (squared(output, target), "share")}

    loss.counts = lambda batch: {"share": 1.0}
    with pytest.raises(Refused, match="`share`"):
        check_additive(objective(loss, NUMBERS), nn.Linear(4, 2), batch(draw(1, 7, 2)))
    loss.counts = lambda batch: {}
    with pytest.raises(BadInput, match="denominator `share`"):
        check_additive(objective(loss, NUMBERS), nn.Linear(4, 2), batch(draw(1, 7, 2)))


def test_bad_losses():
    with pytest.raises(BadInput):
        objective("no_such_loss", CLASSES)
    with pytest.raises(BadInput, match="shape"):
        objective(lambda output, target: output, NUMBERS).sums(draw(0, 7, 2), batch(draw(1, 7, 2)))
    with pytest.raises(BadInput, match="returned a float"):
        objective(lambda output, target: 1.0, NUMBERS).sums(draw(0, 7, 2), batch(draw(1, 7, 2)))
    with pytest.raises(BadInput, match="before any training"):
        check_additive(objective(lambda output, target: (output - output).log().sum() * 0, NUMBERS), nn.Linear(4, 2), batch(draw(1, 7, 2)))

    class Learned(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, output, target):
            return self.scale * squared(output, target)

    with pytest.raises(Refused, match="parameters of its own"):
        objective(Learned(), NUMBERS)


def test_the_check_touches_nothing():
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
    model[2].eval()
    model[0].weight.grad = torch.ones(8, 4)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    check_additive(objective("auto", NUMBERS), model, batch(draw(1, 7, 2)))
    check_additive(objective(lambda model, batch: squared(model(batch.inputs), batch.targets), NUMBERS), model, batch(draw(1, 7, 2)))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(random, torch.get_rng_state()) and torch.equal(model[0].weight.grad, torch.ones(8, 4))
    assert model[1].training and not model[2].training


def test_inputs_and_outputs_of_any_form():
    x = draw(0, 3, 4)
    assert forward(lambda a, b: (a, b), {"b": 2, "a": 1}) == (1, 2) and forward(lambda a, b: a + b, (1, 2)) == 3
    target = torch.tensor([0, 1, 2])
    for output in (x, {"logits": x}, SimpleNamespace(logits=x)):
        criterion = objective("auto", CLASSES)
        torch.testing.assert_close(mean(criterion, output, batch(target)), F.cross_entropy(x, target))
        additive(criterion, output, batch(target))
    with pytest.raises(BadInput, match="logits"):
        objective("auto", CLASSES).sums((x, x), batch(target))


@pytest.mark.parametrize(
    "facts, targets, words",
    [
        (CLASSES, torch.tensor([0, 4, 5]), ("row 2:", "label 5", "0..4")),
        (CLASSES, torch.tensor([0, -1, -100]), ("row 1:", "label -1")),
        (TOKENS, torch.tensor([[0, 1], [2, 7]]), ("row 1, 1:", "label 7")),
        (NUMBERS, torch.tensor([[0.0, 1.0], [float("nan"), 0.0]]), ("row 1, 0:", "nan")),
        (Facts("multilabel", (1,), 2), torch.tensor([[0, 1], [2, 0]]), ("row 1, 0:", "2")),
        (CLASSES, torch.tensor([[0.5, float("nan"), 0, 0, 0.5]]), ("row 0, 1:", "nan")),
    ],
)
def test_wrong_targets_are_named(facts, targets, words):
    with pytest.raises(BadInput) as error:
        check_targets(facts, batch(targets))
    assert all(word in str(error.value) for word in words)


def test_right_targets_pass():
    check_targets(CLASSES, batch(LABELS))
    check_targets(CLASSES, batch(torch.tensor([-1, 0])), ignore_index=-1)
    check_targets(NUMBERS, batch(draw(0, 3, 2)))
