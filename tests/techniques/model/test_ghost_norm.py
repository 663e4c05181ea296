"""Ghost batches: torch's batch norm on each group, and the same training for any split at multiples of the group."""

import re

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu.core import Run
from danlu.errors import BadInput, Refused
from danlu.techniques.model.ghost_norm import GhostBatchNorm, GhostNorm


@pytest.mark.parametrize("shape", [(12, 5), (12, 5, 3), (12, 5, 2, 3), (10, 5)])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_each_group_is_torchs_batch_norm(shape, affine, momentum):
    kind = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}[len(shape)]
    norm = kind(5, affine=affine, momentum=momentum, dtype=torch.float64)
    if affine:
        nn.init.uniform_(norm.weight)
        nn.init.uniform_(norm.bias)
    mine = GhostBatchNorm(norm, 4)
    g = torch.Generator().manual_seed(0)
    mean, variance = norm.running_mean.clone(), norm.running_var.clone()
    for call in range(3):
        x = torch.randn(shape, generator=g, dtype=torch.float64) * 3 + 1
        rate = momentum or 1 / (call + 1)
        wanted, means, variances = [], 0, 0
        for group in x.split(4):
            m, v = mean.clone(), variance.clone()
            wanted.append(F.batch_norm(group, m, v, norm.weight, norm.bias, training=True, momentum=rate))
            means, variances = means + m * len(group) / len(x), variances + v * len(group) / len(x)
        mean, variance = means, variances
        assert torch.allclose(mine.train()(x), torch.cat(wanted), atol=1e-12)
        assert torch.allclose(mine.running_mean, mean, atol=1e-14) and torch.allclose(mine.running_var, variance, atol=1e-14)
        assert mine.num_batches_tracked == call + 1
    assert torch.allclose(mine.eval()(x), F.batch_norm(x, mean, variance, norm.weight, norm.bias), atol=1e-12)


def test_a_group_of_the_whole_batch_is_batch_norm_bit_for_bit():
    norm, x = nn.BatchNorm1d(5), torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    mine = GhostBatchNorm(nn.BatchNorm1d(5), 8)
    assert torch.equal(norm(x), mine(x)) and all(map(torch.equal, norm.state_dict().values(), mine.state_dict().values()))
    assert norm.state_dict().keys() == mine.state_dict().keys()


def test_without_running_statistics_groups_count_too():
    norm = nn.BatchNorm1d(5, track_running_stats=False)
    mine, x = GhostBatchNorm(norm, 4), torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(mine.train()(x), torch.cat([norm(part) for part in x.split(4)]), atol=1e-6)
    assert torch.allclose(mine.eval()(x), norm.eval()(x), atol=1e-6)


@pytest.mark.parametrize("micro", [8, 16])
@pytest.mark.parametrize("rows", [64, 44])  # 44: the last batch has 12 rows, a group and a half
@pytest.mark.parametrize("batch_size", [32, 30])  # 30: the last group of every batch has 6
def test_any_split_at_multiples_of_the_group_trains_the_same(micro, rows, batch_size):
    fields = {"model": toys.batch_normed, "data": lambda: toys.made(rows), "batch_size": batch_size, "steps": 6}
    whole, split = toys.trained(GhostNorm(size=8), **fields), toys.trained(GhostNorm(size=8), **fields, micro_batch_size=micro)
    assert toys.apart(whole, split) < 1e-12
    assert toys.apart(whole, toys.trained(**fields)) > 1e-4


@pytest.mark.parametrize("micro", [4, 6, 12])
def test_micro_batches_that_would_part_a_group_are_refused(micro):
    with pytest.raises(BadInput, match=f"micro-batches of {micro} rows; set micro_batch_size to a multiple of 8"):
        Run(toys.recipe(GhostNorm(size=8), model=toys.batch_normed, batch_size=24, micro_batch_size=micro))


@pytest.mark.parametrize("micro", [2, 3, 5, 7])
def test_the_size_that_the_refusal_of_plain_norms_names_is_taken(micro):
    fields = {"model": toys.batch_normed, "batch_size": 16, "data": lambda: toys.made(48)}
    with pytest.raises(Refused, match=rf"ghost_norm\(size={micro}\)") as refused:
        Run(toys.recipe(**fields, micro_batch_size=micro))
    size = int(re.search(r"size=(\d+)", str(refused.value))[1])
    if 16 % micro != 1:  # else a row is left alone, which another sentence tells
        whole, split = toys.trained(GhostNorm(size=size), **fields), toys.trained(GhostNorm(size=size), **fields, micro_batch_size=micro)
        assert toys.apart(whole, split) < 1e-12


def test_every_norm_of_the_model_is_replaced_and_keeps_its_parameters():
    live = nn.Sequential(nn.Linear(6, 4), nn.Sequential(nn.BatchNorm1d(4), nn.ReLU()), nn.LayerNorm(4), nn.Linear(4, 3))
    run = Run(toys.recipe(GhostNorm(size=4), model=live))
    assert isinstance(run.model[1][0], GhostBatchNorm) and isinstance(run.model[2], nn.LayerNorm)
    assert run.model.state_dict().keys() == live.state_dict().keys()
    alone = Run(toys.recipe(GhostNorm(size=4), model=lambda: nn.BatchNorm1d(6), data=lambda: toys.made(classes=6)))
    assert isinstance(alone.model, GhostBatchNorm)
