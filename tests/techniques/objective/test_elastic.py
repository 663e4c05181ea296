"""L1, L2 and both: against torch's coupled weight decay, by the penalty's own gradient, and however a batch is split."""

import pytest
import torch
import toys
from torch import nn

from danlu.core import Run
from danlu.optim.first_order import SGD
from danlu.techniques.objective.elastic import Elastic
from danlu.techniques.objective.l1 import L1
from danlu.techniques.objective.l2 import L2
from danlu.testing.compare import at_step


def test_l2_is_sgds_weight_decay():
    plain = {"optimizer": SGD(lr=0.1, momentum=0.9), "steps": 10}
    assert toys.apart(toys.trained(L2(0.05), **plain), toys.trained(**{**plain, "optimizer": SGD(lr=0.1, weight_decay=0.05)})) < 1e-12
    assert toys.apart(toys.trained(L2(0.05), **plain), toys.trained(**plain)) > 1e-3


@pytest.mark.parametrize("micro", [None, 3])
@pytest.mark.parametrize("technique,l1,l2", [(L1(0.02), 0.02, 0.0), (L2(0.03), 0.0, 0.03), (Elastic(0.02, 0.03), 0.02, 0.03)])
def test_its_gradient_and_its_value(technique, l1, l2, micro):
    """The penalty is in the loss once, not once a micro-batch."""
    (plain, batches), (own, own_batches) = (at_step(toys.recipe(*ts, micro_batch_size=micro), 0) for ts in ((), (technique,)))
    before, after = plain.gradient(plain.objective, batches), own.gradient(own.objective, own_batches)
    matrices = [p.detach() for name, p in own.model.named_parameters() if name.endswith("weight")]
    penalty = sum(l1 * w.abs().sum() + l2 / 2 * w.square().sum() for w in matrices)
    assert float(after.loss - before.loss) == pytest.approx(float(penalty), abs=1e-12)
    for (name, p), q in zip(plain.model.named_parameters(), own.trainable()):
        wanted = p.grad + (l1 * p.detach().sign() + l2 * p.detach() if name.endswith("weight") else 0.0)
        torch.testing.assert_close(q.grad, wanted, rtol=0, atol=1e-13)


def test_validation_is_without_it():
    data = lambda: toys.made(held_out=10)
    metrics = [[r.metrics["val_loss"] for r in Run(toys.recipe(*ts, data=data, optimizer=toys.sgd(lr=1e-12), steps=5)) if r.metrics]
               for ts in ((), (L1(1.0),))]  # fmt: skip
    assert metrics[0] == pytest.approx(metrics[1], abs=1e-9)


def test_a_model_without_matrices():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return x[:, :3] * self.scale

    assert toys.apart(toys.trained(L1(0.5), model=Scale), toys.trained(model=Scale)) == 0.0


def test_l1_drives_a_useless_weight_to_about_zero():
    """Soft thresholding: minimising (w - a)^2 / 2 + c |w| ends at sign(a) max(|a| - c, 0)."""
    targets = torch.tensor([[0.05, -0.3, 0.8]], dtype=torch.float64)
    loss = lambda model, batch: ((model.weight - targets) ** 2).sum() / 2 * len(batch.ids)
    run = toys.trained(L1(0.2), model=lambda: nn.Linear(3, 1, bias=False), data=lambda: toys.made(features=3), loss=loss,
                       optimizer=SGD(lr=0.01, momentum=0.0), steps=1500)  # fmt: skip
    assert run.model.weight.detach().flatten().tolist() == pytest.approx([0.0, -0.1, 0.6], abs=0.003)
