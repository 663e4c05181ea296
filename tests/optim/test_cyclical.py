"""The cyclical schedule against torch's CyclicLR."""

import pytest
import torch
from torch.optim.lr_scheduler import CyclicLR

from danlu.optim.cyclical import Cyclical

MODES = {"triangular": "triangular", "halving": "triangular2", "decaying": "exp_range"}


@pytest.mark.parametrize("shape", MODES)
@pytest.mark.parametrize("rise", [0.5, 0.25])
def test_torch(shape, rise):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = CyclicLR(optimizer, 0.1, 1.0, 20 * rise, 20 * (1 - rise), MODES[shape], gamma=0.97, cycle_momentum=False)
    factor = Cyclical(cycle=20, low=0.1, rise=rise, shape=shape, gamma=0.97)(75)
    for step in range(75):
        assert factor(step) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-12)
        optimizer.step(), theirs.step()


def test_a_warmup_climbs_to_its_first_value_and_it_stays_where_it_ended():
    factor = Cyclical(cycle=10, low=0.2, warmup=4)(24)
    assert [factor(step) for step in range(5)] == pytest.approx([0.04, 0.08, 0.12, 0.16, 0.2])
    assert factor(9) == pytest.approx(1.0) and factor(14) == pytest.approx(0.2)
    assert factor(24) == factor(1000)
