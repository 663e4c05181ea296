"""One process: what a look at the model leaves as it was, and what state looks like."""

import copy

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu.core import Run
from danlu.data.source import Tensors
from danlu.errors import Refused
from danlu.keys import Keyed
from danlu.techniques.update.ema import EMA


class Restless(nn.Module):
    """Moves a buffer and draws random numbers in eval mode too, as a module should not."""

    def __init__(self):
        super().__init__()
        self.body = toys.batch_normed()
        self.dropout = nn.Dropout(0.5)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return self.body(F.dropout(x, 0.5, training=True)) + 0 * self.dropout(x).sum()


def everything(run):
    tensors = {**toys.state(run), "generator": torch.get_rng_state()}
    modes = [module.training for module in run.model.modules()]
    return tensors, modes, copy.deepcopy(run.optimizer.state_dict()), (Keyed.seed, Keyed.ids), run.step


def assert_same(a, b):
    assert all(torch.equal(value, b[0][name]) for name, value in a[0].items()) and a[1] == b[1] and a[3:] == b[3:]
    assert str(a[2]) == str(b[2])


def outputs(model, batch):
    return {"sum": model(batch.inputs).sum(), "rows": torch.tensor(len(batch.ids)), "ids": [batch.ids]}


@pytest.mark.parametrize("weights", ["raw", "auto", "ema"])
def test_looking_moves_nothing(weights):
    run = toys.steps(Run(toys.recipe(EMA(), model=Restless, data=lambda: toys.made(40, held_out=10))), 3)
    run.model.body[2].eval()  # a mode of its own
    before = everything(run)
    run.evaluate(outputs, run.data.val, weights)
    assert_same(before, everything(run))

    def fails(model, batch):
        outputs(model, batch)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run.evaluate(fails, run.data.val, weights)
    assert_same(before, everything(run))


def test_looking_between_steps_changes_no_step():
    plain, watched = toys.trained(EMA(), model=Restless), Run(toys.recipe(EMA(), model=Restless))
    for _ in watched:
        watched.evaluate(outputs, watched.data.train, "ema")
    assert toys.apart(plain, watched) == 0.0


def test_it_looks_in_eval_mode_without_gradients_and_with_the_weights_asked_for():
    run = toys.trained(EMA(decay=0.5, warmup=False), model=toys.batch_normed, data=lambda: toys.made(40, held_out=10))
    seen = []

    def look(model, batch):
        seen.append((model.training, torch.is_grad_enabled(), model[0].weight.clone()))
        return {"out": [model(batch.inputs)]}

    raw, ema = run.evaluate(look, run.data.val, "raw"), run.evaluate(look, run.data.val, "ema")
    assert {entry[:2] for entry in seen} == {(False, False)}
    average = run.kept_weights("ema")
    assert torch.equal(seen[0][2], run.model[0].weight) and torch.equal(seen[-1][2], average["0.weight"])
    twin = toys.twin(run).eval()
    x = run.placement.put(run.data.val.inputs)
    assert torch.allclose(twin(x), raw["out"], atol=1e-14)
    twin.load_state_dict(average)
    assert torch.allclose(twin(x), ema["out"], atol=1e-14)


@pytest.mark.parametrize("rows", [1, 3, 4, 5, 11, 12])
@pytest.mark.parametrize("micro", [None, 3])
def test_a_ragged_last_batch_counts_as_what_it_is(rows, micro):
    run = Run(toys.recipe(data=lambda: toys.made(40), batch_size=4, micro_batch_size=micro))
    held = toys.made(rows, seed=5).train
    sizes = []

    def look(model, batch):
        sizes.append((len(batch.ids), batch.counts["rows"]))
        return {"loss": F.cross_entropy(model(batch.inputs), batch.targets, reduction="sum"), "rows": len(batch.ids), "ids": [batch.ids]}

    found = run.evaluate(look, held)
    wanted = F.cross_entropy(run.model(held.inputs.double()), held.targets, reduction="sum").item()
    assert found["loss"].item() == pytest.approx(wanted, abs=1e-12) and found["rows"] == rows
    assert found["ids"].tolist() == list(range(rows))
    size = micro or 4
    assert sizes == [(min(size, rows - start), min(size, rows - start)) for start in range(0, rows, size)]


def test_the_counts_of_a_look_are_the_losss():
    run = Run(toys.recipe(data=toys.tokens))
    found = run.evaluate(lambda model, batch: {"tokens": batch.counts["tokens"], "once": batch.counts["once"]}, run.data.train)
    assert found["tokens"] == (run.data.train.targets != -100).sum() and found["once"] == 5


def test_swapped_weights_come_back_bit_for_bit_also_after_an_error():
    run = Run(toys.recipe(model=toys.batch_normed))
    before = toys.state(run)
    others = {name: value + 1 for name, value in before.items()}
    with pytest.raises(ZeroDivisionError), run.placement.swapped(run.model, others):  # noqa: PT012
        assert all(torch.equal(value, others[name]) for name, value in toys.state(run).items())
        raise ZeroDivisionError
    assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())
    with run.placement.swapped(run.model, {"0.weight": others["0.weight"]}):  # some only
        assert torch.equal(run.model[0].bias, before["0.bias"])
    with run.placement.swapped(run.model, None):
        pass
    assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())


@pytest.mark.parametrize("weights", [{"stranger": torch.zeros(2)}, {"0.bias": torch.ones(8), "0.weight": torch.zeros(2, 2)}])
def test_weights_that_do_not_fit_are_refused_and_nothing_is_written(weights):
    run = Run(toys.recipe())
    before = toys.state(run)
    for attempt in (lambda: run.placement.load_weights(run.model, weights), lambda: run.placement.swapped(run.model, weights).__enter__()):
        with pytest.raises(Refused, match=r"stranger|0\.weight"):
            attempt()
        assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())


def test_state_is_by_name_and_live():
    run = toys.steps(Run(toys.recipe(model=toys.batch_normed, optimizer=torch.optim.AdamW)), 2)
    state = run.placement.state(run.model, run.optimizer)
    assert state["model"].keys() == run.model.state_dict().keys()
    assert state["model"]["0.weight"].data_ptr() == run.model[0].weight.data_ptr() and not state["model"]["0.weight"].requires_grad
    assert state["optimizer"]["groups"][0]["params"] == [name for name, _ in run.model.named_parameters()]
    assert state["optimizer"]["state"]["0.weight"].keys() == {"step", "exp_avg", "exp_avg_sq"}
    assert state["optimizer"]["state"]["0.weight"]["exp_avg"].shape == (8, 6)


def test_a_loaded_optimiser_is_the_optimiser():
    run = toys.steps(Run(toys.recipe(optimizer=lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True))), 3)
    other = Run(toys.recipe(optimizer=lambda p: torch.optim.AdamW(p, lr=0.5, amsgrad=True)))
    other.load(run.state())
    assert str(other.optimizer.state_dict()) == str(run.optimizer.state_dict())
    assert all(a.data_ptr() != b.data_ptr() for p, q in zip(run.model.parameters(), other.model.parameters())
               for a, b in zip(run.optimizer.state[p].values(), other.optimizer.state[q].values()))  # fmt: skip


def test_a_state_that_lacks_a_tensor_is_refused():
    run = Run(toys.recipe())
    state = run.state()
    del state["model"]["2.bias"]
    with pytest.raises(Refused, match=r"2\.bias"):
        run.load(state)


def test_verbs_of_a_world_of_one():
    placement = Run(toys.recipe()).placement
    g = torch.Generator().manual_seed(0)
    left, right = (
        [torch.randn(3, 2, generator=g, dtype=torch.float64), torch.randn(5, generator=g, dtype=torch.float64)] for _ in range(2)
    )
    flat, other = torch.cat([t.flatten() for t in left]), torch.cat([t.flatten() for t in right])
    assert torch.isclose(placement.norm(left), flat.norm()) and placement.norm(left).shape == ()
    assert torch.isclose(placement.dot(left, right), flat @ other)
    assert placement.sum(3.0) == 3.0 and placement.full(left[0]) is left[0]
    assert (placement.world, placement.rank) == (1, 0)


def test_inputs_and_targets_are_put_in_the_precision():
    placement = Run(toys.recipe()).placement
    tree = {"x": torch.ones(2), "ids": torch.ones(2, dtype=torch.int64), "mask": torch.ones(2, dtype=torch.bool)}
    assert [t.dtype for t in placement.put(tree).values()] == [torch.float64, torch.int64, torch.bool]
    assert Tensors(tree, tree["x"]).fetch(torch.tensor([1]), 0)[0]["x"].shape == (1,)


def test_no_key_is_left_behind_by_a_step():
    toys.trained(model=toys.normed)
    assert Keyed.ids is None
