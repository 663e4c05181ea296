"""Running out of memory: by a hook that raises torch's own error above a size, and for real, under a limit of the operating system."""

import copy
import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass

import pytest
import torch
import toys
from torch import nn

from danlu.core import Batch, Loss, Run, Technique
from danlu.errors import NO_MEMORY, NoMemory, speak
from danlu.losses.criterion import Criterion, forward
from danlu.nets.dropout import Dropout, named
from danlu.placement.memory import out_of_memory, parts
from danlu.run import log
from danlu.run.train import train
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.model.ghost_norm import GhostNorm
from danlu.techniques.stream.mixup import MixUp
from danlu.techniques.update.ema import EMA


@pytest.fixture(autouse=True)
def english():
    speak("en")
    yield
    speak(None)


@dataclass
class Hungry(Technique):
    """Allocations fail for more than `fits` rows from step `start` on: in the `nth` evaluation of a micro-batch, forward or backward.

    outside: in evaluations outside a step as well, above that many rows.
    """

    fits: int = 4
    start: int = 0
    nth: int = 1
    backward: bool = False
    outside: int = 1000

    def wrap_model(self, model, run):
        calls = {"step": -1, "calls": 0}

        def allocate(rows):
            raise torch.OutOfMemoryError(f"Tried to allocate {rows} rows.")

        def hook(module, args, output=None):
            if not hasattr(run, "update"):  # the looks before the run
                return
            rows = len(next(iter(args)))
            if not torch.is_grad_enabled():
                if not module.training and rows > self.outside:
                    allocate(rows)
                return
            if calls["step"] != run.step:
                calls.update(step=run.step, calls=0)
            calls["calls"] += 1
            if rows > self.fits and run.step >= self.start and calls["calls"] >= self.nth:
                if not self.backward:
                    allocate(rows)
                output.register_hook(lambda gradient: allocate(rows))

        if self.backward:
            model.register_forward_hook(hook)
        else:  # in the middle, so that buffers before it have moved already
            list(model.children())[-1].register_forward_pre_hook(hook)
        return model


def soft():
    """LayerNorm and danlu's dropout."""
    return named(nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Tanh(), Dropout(0.2), nn.Linear(8, 3)))


def normed():
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))


@dataclass
class Rows(Technique):
    """Notes the ids of each evaluation, step by step."""

    def wrap_objective(self, objective, run):
        self.seen = []

        def noted(model, batch):
            self.seen.append((batch.step, batch.ids.tolist()))
            return objective(model, batch)

        return noted


def course(run):
    """Each step's loss, what was said, and the sets of rows that the last evaluation of each step had."""
    said = []
    run.placement.notice = lambda event, sentence, **values: said.append((event, values))
    return [float(report.loss) for report in run], said


def test_what_is_out_of_memory():
    for error in (
        MemoryError(),
        torch.OutOfMemoryError("x"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you"),
    ):
        assert out_of_memory(error)
    assert out_of_memory(RuntimeError("MPS backend out of memory (...)")) and not out_of_memory(RuntimeError("shape"))
    assert not out_of_memory(ValueError("out of memory"))


@pytest.mark.parametrize("rows, sizes", [(9, [8]), (8, [8]), (5, [5, 3]), (4, [4, 4]), (3, [3, 3, 2]), (1, [1] * 8)])
def test_parts_are_the_batch(rows, sizes):
    tree = {"a": torch.arange(8), "b": (torch.arange(16).view(8, 2), "text")}
    whole = Batch(tree, torch.arange(8.0), torch.arange(8) + 100, step=3, place=2, last=True, counts={"rows": 8})
    found = parts(whole, rows)
    assert [len(part.ids) for part in found] == sizes == [part.counts["rows"] for part in found]
    for get in (lambda b: b.ids, lambda b: b.inputs["a"], lambda b: b.inputs["b"][0], lambda b: b.targets):
        assert torch.equal(torch.cat([get(part) for part in found]), get(whole))
    assert [part.last for part in found] == [False] * (len(found) - 1) + [True]
    assert len({part.place for part in found}) == len(found) and found[0].place == 2 and all(part.step == 3 for part in found)
    again = [smaller for part in parts(whole, 4) for smaller in parts(part, 2)]
    assert [part.place for part in again] == [part.place for part in parts(whole, 2)]  # whatever was cut before


@pytest.mark.parametrize("precision, bound", [("fp32", 1e-6), ("fp64", 1e-13)])
@pytest.mark.parametrize("hungry", [Hungry(4, 2), Hungry(2, 3), Hungry(1, 1), Hungry(3, 2, backward=True)], ids=str)
@pytest.mark.parametrize("techniques", [(), (MixUp(alpha=1.0),), (SAM(), EMA(decay=0.5))], ids=str)
def test_the_run_goes_on_as_it_would_have(precision, bound, hungry, techniques):
    fields = {"model": soft, "precision": precision, "optimizer": toys.sgd(lr=0.05), "steps": 8}
    whole, rows = Run(toys.recipe(*techniques, Rows(), **fields)), Rows()
    halved = Run(toys.recipe(*techniques, rows, hungry, **fields))
    rows = next(t for t in halved.techniques if isinstance(t, Rows))
    (wanted, _), (found, said) = course(whole), course(halved)
    assert found[: hungry.start] == wanted[: hungry.start]  # bit for bit, as long as it fitted
    assert all(abs(a - b) <= bound * abs(b) for a, b in zip(found, wanted)), (found, wanted)
    assert said[-1][1]["rows"] == halved.placement.step_rows <= hungry.fits and {values["step"] for _, values in said} == {hungry.start + 1}
    assert [values["rows"] for _, values in said] == [size for size in (4, 2, 1) if size * 2 > hungry.fits]  # halves, and no smaller
    for step in range(8):  # the samples of a step are those of the plan, in its order, at the end of the step
        seen = [ids for at, ids in rows.seen if at == step]
        last = [i for ids in seen for i in ids][-8:]
        assert last == halved.plan.ids(step).tolist()
        assert step <= hungry.start or max(map(len, seen)) <= hungry.fits


def test_the_gradient_is_the_whole_batchs_with_tokens_and_terms_of_a_step():
    """Denominators that differ from part to part, and a term that is there once a step."""

    def loss(model, batch):
        output = forward(model, batch.inputs)
        sums = nn.functional.cross_entropy(output.flatten(0, 1), batch.targets.flatten(), reduction="sum", ignore_index=-100)
        return Loss({"ce": (sums, "tokens"), "l1": (1e-2 * sum(p.abs().sum() for p in model.parameters()), "once")})

    def counts(batch):
        return {"tokens": float((batch.targets != -100).sum())}

    criterion = lambda facts: Criterion(lambda output, batch: loss(lambda x: output, batch), counts, whole=loss)
    grads = []
    for techniques in ((), (Hungry(3, 0),)):
        run = Run(toys.recipe(*techniques, data=toys.tokens, model=toys.net, loss=criterion, optimizer=toys.sgd(lr=0.0), steps=1))
        losses, _ = course(run)
        grads.append((losses, [p.grad.clone() for p in run.model.parameters()]))
    assert grads[0][0] == pytest.approx(grads[1][0], rel=1e-13)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-14) for a, b in zip(grads[0][1], grads[1][1]))


@pytest.mark.parametrize("backward", [False, True])
def test_buffers_move_once_and_as_they_would_have(backward):
    fields = {"model": normed, "steps": 6, "batch_size": 16, "optimizer": toys.sgd(lr=0.05)}
    whole = Run(toys.recipe(GhostNorm(size=4), **fields))
    halved = Run(toys.recipe(GhostNorm(size=4), Hungry(4, 1, backward=backward), **fields))
    (wanted, _), (found, said) = course(whole), course(halved)
    assert [values["rows"] for _, values in said] == [8, 4]
    assert found == pytest.approx(wanted, rel=1e-12) and toys.apart(whole, halved) < 1e-12
    assert int(halved.model[1].num_batches_tracked) == 6


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_whichever_look_of_a_step_it_is(nth):
    """L-BFGS and SAM look several times; what fails in between is begun anew, and the weights are where they were."""
    for optimizer, techniques in ((lambda p: torch.optim.LBFGS(p, lr=0.1, max_iter=3), ()), (toys.sgd(lr=0.05), (SAM(),))):
        fields = {"model": soft, "steps": 4, "optimizer": optimizer}
        whole, halved = Run(toys.recipe(*techniques, **fields)), Run(toys.recipe(*techniques, Hungry(4, 1, nth=nth), **fields))
        wanted, found = course(whole)[0], course(halved)[0]
        assert found == pytest.approx(wanted, rel=1e-9) and toys.apart(whole, halved) < 1e-9
        if nth < 3 or not techniques:
            assert halved.placement.step_rows == 4


# ---- what cannot be the same ----


def test_one_row_that_does_not_fit_ends_the_run_with_advice():
    run = Run(toys.recipe(Hungry(0, 2)))
    before = []
    run.placement.notice = lambda event, sentence, **values: before.append(values["rows"])
    with pytest.raises(NoMemory, match=r"does not suffice for a single row .*Tried to allocate 1 rows.*use a smaller model"):
        list(run)
    assert before == [4, 2, 1] and run.step == 2 and NoMemory.code == NO_MEMORY == 8


def test_batch_norm_and_a_loss_over_the_batch_are_not_split():
    with pytest.raises(NoMemory, match=r"for 8 rows at once .*BatchNorm \(1\)"):
        list(Run(toys.recipe(Hungry(4, 2), model=normed)))
    whole = lambda facts: Criterion(lambda output, batch: Loss({"loss": (output.std(), "once")}), lambda batch: {}, "batch", "spread")
    with pytest.raises(NoMemory, match="the loss spread is taken over the whole batch"):
        list(Run(toys.recipe(Hungry(4, 2), loss=whole)))
    with pytest.raises(NoMemory, match="one group of ghost_norm, 4 rows"), pytest.warns(UserWarning, match="8 rows"):
        list(Run(toys.recipe(GhostNorm(size=4), Hungry(3, 2), model=normed, batch_size=16)))


@pytest.mark.parametrize("model, draws", [(soft, False), (lambda: nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.2), nn.Linear(8, 3)), True)])
def test_a_dropout_of_others_is_said_before_the_step_moves(model, draws):
    run = Run(toys.recipe(Hungry(2, 2), model=model))
    said, start = [], []

    def notice(event, sentence, **values):
        said.append(sentence.en.format(**values))
        assert run.step == 2 and all(torch.equal(value, start[0][name]) for name, value in toys.state(run).items())

    run.placement.notice = notice
    for report in run:
        start[:] = [toys.state(run)]
        assert bool(said) == (report.step > 2)
    assert ["random numbers of its own" in text for text in said] == [draws, draws]  # each halving says what it changes


def test_what_does_not_fit_without_a_gradient_either_is_halved_before_it_is_said():
    """Else a dropout of others, which could not be looked for, would be said not to be there."""
    net, fits = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.2), nn.Linear(8, 3)), [1000]

    def hook(module, args):
        if len(args[0]) > fits[0]:
            raise MemoryError

    net[0].register_forward_pre_hook(hook)
    run, said = Run(toys.recipe(model=lambda: net, validate=False)), []
    run.placement.notice = lambda event, sentence, **values: said.append((values["rows"], "numbers of its own" in sentence.en))
    for report in run:
        fits[0] = 2 if report.step == 1 else fits[0]
    assert said == [(2, True)] and run.step == run.total


def test_an_error_that_is_none_of_memory_goes_through():
    run = Run(toys.recipe(model=normed))
    before = toys.state(run)
    run.model[3].register_forward_pre_hook(lambda module, args: (_ for _ in ()).throw(RuntimeError("no such kernel")))
    with pytest.raises(RuntimeError, match="no such kernel"):
        list(run)
    assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())  # buffers too


# ---- state ----


def test_a_resumed_run_has_the_halves_bit_for_bit():
    recipe = toys.recipe(EMA(), MixUp(alpha=1.0), Hungry(4, 3), model=soft, precision="fp32", steps=8)
    whole = Run(recipe)
    wanted, _ = course(whole)
    for k in range(9):
        half, again = Run(recipe), Run(recipe)
        half.placement.notice = again.placement.notice = lambda *_, **__: None
        toys.steps(half, k)
        again.load(copy.deepcopy(half.state()))
        assert again.placement.step_rows == (4 if k > 3 else None)
        assert [float(report.loss) for report in again] == wanted[k:] and toys.apart(again, whole) == 0.0
    roomy = Run(toys.recipe(EMA(), MixUp(alpha=1.0), Hungry(100, 3), model=soft, precision="fp32", steps=8))
    roomy.load(copy.deepcopy(toys.steps(quiet(Run(recipe)), 5).state()))  # a machine with more memory goes on with the same bits
    assert [float(report.loss) for report in roomy] == wanted[5:]


def quiet(run):
    run.placement.notice = lambda *_, **__: None
    return run


def test_validation_begins_anew_with_half_the_rows():
    data = lambda: toys.made(40, held_out=13)
    plain, hungry = Run(toys.recipe(data=data, steps=5)), quiet(Run(toys.recipe(Hungry(8, 0, outside=3), data=data, steps=5)))
    for a, b in zip(plain, hungry, strict=True):
        assert a.metrics == pytest.approx(b.metrics, rel=1e-12)
    assert hungry.placement.look_rows == 2 and hungry.placement.step_rows is None
    ids = hungry.evaluate(lambda model, batch: {"ids": [batch.ids], "most": torch.tensor(float(len(batch.ids) > 2))}, hungry.data.val)
    assert ids["ids"].tolist() == list(range(13)) and ids["most"] == 0
    with pytest.raises(NoMemory, match="single row"):
        list(quiet(Run(toys.recipe(Hungry(8, 0, outside=0), data=data, steps=5))))


def test_a_bare_run_warns():
    with pytest.warns(UserWarning, match=r"step 3: memory did not suffice \(Tried to allocate 8 rows\.\); from here on at most 4 rows"):
        list(Run(toys.recipe(Hungry(4, 2))))


def test_the_run_folder_says_it_once_and_has_the_event(tmp_path):
    told = []
    recipe = toys.recipe(Hungry(4, 2), model=soft, loss="auto", data=lambda: toys.made(40, held_out=8))
    train(recipe, tmp_path / "run", tell=told.append)
    assert sum("memory did not suffice" in line for line in told) == 1
    (event,) = [event for event in log.read(tmp_path / "run" / "events.jsonl") if event["event"] == "halved"]
    assert (event["step"], event["rows"], event["reason"]) == (3, 4, "Tried to allocate 8 rows.")
    assert "halved" in (tmp_path / "run" / "report.html").read_text("utf-8")


# ---- for real ----

REAL = """
import json, resource, sys
import torch
from torch import nn
from danlu.core import Recipe, Run
from danlu.data.source import Data, Facts, Tensors
from danlu.optim.first_order import SGD

torch.set_num_threads(1)
WIDE = 2_000_000  # 8 MB a row and a tensor

class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([[0.5]]))

    def forward(self, x):
        return (x[:, :1] * self.scale).expand(-1, WIDE).sin().cos().mean(1, keepdim=True)

def data():
    x = torch.arange(32.0)[:, None] / 32
    return Data(Tensors(x, x.sin()), Facts("regress", (1,), 1, rows=32))

def losses(room):
    run = Run(Recipe(Wide, data, "auto", SGD(lr=0.1), batch_size=16, steps=4, device="cpu"))
    found = []
    for report in run:
        found.append(float(report.loss))
        if room and report.step == 2:
            used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + room, used + room))
    return found, run.placement.step_rows

import warnings
warnings.simplefilter("ignore")
free = losses(0)
print(json.dumps([free, losses(int(sys.argv[1]))]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_AS and /proc are Linux's")
def test_memory_of_the_machine_that_runs_out(tmp_path):
    """16 rows want several times 128 MB; 280 MB above what the process has suffice for a few."""
    (tmp_path / "real.py").write_text(textwrap.dedent(REAL))
    done = subprocess.run([sys.executable, str(tmp_path / "real.py"), str(280 << 20)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    (wanted, whole), (found, rows) = json.loads(done.stdout)
    assert whole is None and rows in (1, 2, 4, 8), rows
    assert found == pytest.approx(wanted, rel=1e-6)
