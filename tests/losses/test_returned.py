"""A model that returns its own loss: which mean it is, and that the recovered sums train as one whole batch would."""

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.core import Batch
from danlu.data.source import Facts
from danlu.errors import Refused
from danlu.losses.adapt import check_additive, objective

torch.set_num_threads(1)

FACTS = Facts("language", (6,), 5)


@dataclass
class Output:
    logits: torch.Tensor
    loss: torch.Tensor | None = None


class Speaker(nn.Module):
    def __init__(self, kind, auxiliary=0.0):
        super().__init__()
        self.kind, self.auxiliary = kind, auxiliary
        torch.manual_seed(0)
        self.embed, self.head = nn.Embedding(5, 8), nn.Linear(8, 5)

    def forward(self, tokens, labels=None):
        scores = self.head(self.embed(tokens))
        if labels is None:
            return Output(scores)
        if self.kind == "rows":
            each = F.cross_entropy(scores.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)
            return Output(scores, each.mean(1).mean())
        if self.kind == "shifted_labels":
            scores, labels = scores[:, :-1], labels[:, 1:]
        loss = F.cross_entropy(scores.flatten(0, 1), labels.flatten())
        return Output(scores, loss + self.auxiliary * scores.mean(0).pow(2).sum())


def batch(rows=5, masked=True):
    g = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, 5, (rows, 6), generator=g)
    labels = tokens.roll(1, 1).clone()
    if masked:
        labels[0, 3:], labels[1, :2] = -100, -100
    return Batch({"tokens": tokens, "labels": labels}, labels, torch.arange(rows))


@pytest.mark.parametrize("kind", ["rows", "labels", "shifted_labels"])
@pytest.mark.parametrize("masked", [False, True])
def test_the_mean_is_recognised(kind, masked):
    criterion = objective("auto", FACTS)
    check_additive(criterion, Speaker(kind), batch(masked=masked))
    assert criterion.returned.per == kind


@pytest.mark.parametrize("kind", ["labels", "shifted_labels"])
def test_gradients_of_parts_are_those_of_the_whole(kind):
    model, whole, criterion = Speaker(kind), batch(), objective("auto", FACTS)
    check_additive(criterion, model, whole)
    expected = torch.autograd.grad(model(**whole.inputs).loss, list(model.parameters()))
    parts = [
        Batch({k: v[i] for k, v in whole.inputs.items()}, whole.targets[i], i) for i in (torch.tensor([0]), torch.tensor([1, 2, 3, 4]))
    ]
    per = criterion.returned.per
    total = sum(float(criterion.counts(part)[per]) for part in parts)
    for part in parts:
        (criterion(model, part).terms["loss"][0] / total).backward()
    for p, grad in zip(model.parameters(), expected):
        torch.testing.assert_close(p.grad, grad)


def test_no_labels_at_all_are_zero_and_have_no_slope():
    model, whole, criterion = Speaker("labels"), batch(), objective("auto", FACTS)
    check_additive(criterion, model, whole)
    whole.inputs["labels"][:] = -100
    value = criterion(model, whole).terms["loss"][0]
    value.backward()
    assert value == 0 and all(not p.grad.any() for p in model.parameters())


def test_what_is_no_mean_is_refused():
    with pytest.raises(Refused, match="neither over rows nor over labels"):
        check_additive(objective("auto", FACTS), Speaker("labels", auxiliary=10.0), batch())
    flat = Speaker("labels")
    nn.init.zeros_(flat.head.weight), nn.init.zeros_(flat.head.bias)
    with pytest.raises(Refused, match="do not show"):
        check_additive(objective("auto", FACTS), flat, batch())
    with pytest.raises(Refused, match="not checked"):
        objective("auto", FACTS)(Speaker("labels"), batch())


def test_without_labels_in_the_inputs_the_usual_loss_is_taken():
    model, whole, criterion = Speaker("labels"), batch(), objective("auto", FACTS)
    del whole.inputs["labels"]
    check_additive(criterion, model, whole)
    loss = criterion(model, whole)
    expected = F.cross_entropy(model(**whole.inputs).logits.flatten(0, 1), whole.targets.flatten())
    torch.testing.assert_close(loss.mean(criterion.counts(whole)), expected)


@pytest.mark.parametrize(
    "head, kind",
    [("GPT2LMHeadModel", "shifted_labels"), ("GPT2ForTokenClassification", "labels"), ("GPT2ForSequenceClassification", "labels")],
)
def test_models_of_transformers(head, kind):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=20, n_positions=8, n_embd=16, n_layer=1, n_head=2, num_labels=3, pad_token_id=0)
    model = getattr(transformers, head)(config)
    tokens = torch.randint(1, 20, (5, 8))
    labels = {"GPT2LMHeadModel": tokens, "GPT2ForTokenClassification": tokens % 3, "GPT2ForSequenceClassification": tokens[:, 0] % 3}[head]
    whole = Batch({"input_ids": tokens, "labels": labels}, labels, torch.arange(5))
    criterion = objective("auto", Facts("language" if head.endswith("LMHeadModel") else "classify", (8,), 20))
    check_additive(criterion, model, whole)
    assert criterion.returned.per == kind
