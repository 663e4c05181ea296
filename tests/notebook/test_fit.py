"""`danlu.fit`: bit for bit a hand-written loop, with any kind of data; what it refuses; what it shows."""

import copy
import os
import signal

import numpy as np
import pandas
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import danlu
from danlu.errors import speak
from danlu.notebook.fit import fit


@pytest.fixture(autouse=True)
def _quiet():
    torch.set_num_threads(1)
    speak("en")
    yield
    speak(None)


def rows(count=90, width=6, classes=3):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(count, width, generator=draw)
    return x, (x @ torch.randn(width, classes, generator=draw)).argmax(1)


def net(width=6, classes=3):
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(width, 16), nn.ReLU(), nn.Linear(16, classes))


def by_hand(model, loader, optimizer, loss, epochs):
    losses = []
    for _ in range(epochs):
        for batch in loader:
            value = loss(model, batch)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            losses.append(value.item())
    return losses


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def cross_entropy(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


@pytest.mark.parametrize("settings", [{"shuffle": True}, {"shuffle": False}, {"shuffle": True, "drop_last": True}, {"num_workers": 1}])
def test_loader_bit_for_bit(settings):
    """The same weights and losses as a hand-written loop, whatever order the loader draws."""
    model, twin = net(), net()
    torch.manual_seed(5)
    loader = DataLoader(TensorDataset(*rows()), batch_size=16, **settings)
    expected = by_hand(twin, loader, torch.optim.AdamW(twin.parameters(), lr=1e-2), cross_entropy, 3)
    torch.manual_seed(5)
    run = fit(model, loader, loss=F.cross_entropy, optimizer=torch.optim.AdamW, lr=1e-2, epochs=3, every=1, progress=False)
    assert same(model, twin)
    assert run.metrics["loss"].astype("float32").tolist() == np.float32(expected).tolist()
    assert len(expected) == 3 * len(loader) and run.step == run.total == len(expected)


def test_live_optimizer_and_batches_of_any_size():
    model, twin = net(), net()
    x, y = rows()
    batches = [(x[:10], y[:10]), (x[10:50], y[10:50]), (x[50:51], y[50:51])]
    by_hand(twin, batches, torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9), cross_entropy, 4)
    run = fit(model, batches, loss=F.cross_entropy, optimizer=torch.optim.SGD(model.parameters(), 0.1, 0.9), epochs=4, progress=False)
    assert same(model, twin) and run.step == 12


def test_micro_batches_of_a_loader():
    model, twin = net().double(), net().double()
    x, y = rows()
    loader = DataLoader(TensorDataset(x.double(), y), batch_size=30)
    # doubles in a loader become single precision, so the parameters are those of fp64 here
    fit(model, loader, loss=F.cross_entropy, optimizer="sgd", lr=0.1, epochs=2, progress=False, precision="fp64")
    fit(twin, loader, loss=F.cross_entropy, optimizer="sgd", lr=0.1, epochs=2, micro_batch_size=7, progress=False, precision="fp64")
    for a, b in zip(model.state_dict().values(), twin.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = net()

    def forward(self, x, scale):
        return self.inner(x * scale[:, None])


def test_dicts_and_longer_tuples():
    x, y = rows()
    scale = torch.rand(len(x)) + 0.5
    made, halves = [], (slice(0, 45), slice(45, 90))
    named = [{"scale": scale[h], "x": x[h], "label": y[h], "text": ["a"] * 45} for h in halves]
    tuples = [(x[h], scale[h], y[h]) for h in halves]
    arrays = [{"scale": scale[h].numpy(), "x": x[h].double().numpy(), "klasse": y[h].numpy()} for h in halves]
    for batches in (named, tuples, arrays):
        model = Named()
        target = "klasse" if batches is arrays else None
        run = fit(model, batches, batches, target=target, loss=F.cross_entropy, lr=1e-2, epochs=3, progress=False)
        assert run.metrics["val_accuracy"].notna().any()
        made.append(model)
    assert same(made[0], made[1]) and same(made[0], made[2])


def test_validation_counts_every_row():
    """Batches of unequal size: the loss and accuracy are those over all rows, not means of batch means."""
    x, y = rows()
    model = net()
    run = fit(model, [(x, y)], [(x[:7], y[:7]), (x[7:], y[7:])], loss=F.cross_entropy, epochs=2, progress=False)
    with torch.no_grad():
        output = model(x)
    last = run.metrics.iloc[-1]
    assert last["val_loss"] == pytest.approx(F.cross_entropy(output, y).item(), rel=1e-6)
    assert last["val_accuracy"] == pytest.approx((output.argmax(1) == y).float().mean().item())
    assert run.score([(x[:7], y[:7]), (x[7:], y[7:])])["loss"] == pytest.approx(last["val_loss"], rel=1e-6)
    said = run.predict(x)
    assert said.ids.equal(output.argmax(1)) and run.predict([(x[:7], y[:7]), (x[7:], y[7:])]).ids.equal(said.ids)
    torch.testing.assert_close(run.predict(x[0].numpy()).probabilities[0], output[0].double().softmax(0))


def test_arrays_frames_and_data_sets_agree():
    """In memory and fetched by number: danlu's order, so all give the same weights, and so does a recipe."""
    x, y = rows()
    frame = pandas.DataFrame(x.numpy(), columns=list("abcdef")).assign(kind=y.numpy())
    import datasets

    hugging = datasets.Dataset.from_dict({"x": x.tolist(), "label": y.tolist()}).with_format("torch")
    made = []
    for train, target in ((x.numpy(), y.numpy()), None), (frame, "kind"), ((frame.drop(columns=["kind"]), frame["kind"]), None), (TensorDataset(x, y), None), (hugging, None):  # fmt: skip  # noqa: E501
        model = net()
        run = fit(model, train, target=target, loss=F.cross_entropy, lr=1e-2, epochs=3, batch_size=16, progress=False)
        made.append(model)
    assert all(same(made[0], other) for other in made[1:])
    recipe = danlu.Recipe(
        model=lambda: net(), data=(x, y), loss=F.cross_entropy, optimizer=danlu.optim.AdamW(lr=1e-2), epochs=3, batch_size=16
    )
    run = danlu.Run(recipe)
    for _ in run:
        pass
    assert same(made[0], run.model)


def test_frame_columns_have_names():
    x, y = rows()
    frame = pandas.DataFrame(x.numpy(), columns=list("abcdef")).assign(kind=y.numpy())
    run = fit(net(), frame, frame, target="kind", loss=F.cross_entropy, epochs=3, batch_size=16, progress=False)
    other = frame[["f", "kind", "a", "c", "b", "e", "d"]]
    assert run.predict(other).ids.equal(run.predict(frame).ids)
    assert run.score(other, target="kind") == run.score(frame, target="kind")
    with pytest.raises(danlu.BadInput, match="column `a`"):
        run.predict(frame.drop(columns=["a"]))


def test_regression_and_bytes():
    x, _ = rows()
    y = x.sum(1)
    model = nn.Linear(6, 1)
    run = fit(model, (x, y), (x, y), optimizer="sgd", lr=0.05, epochs=20, batch_size=16, progress=False)
    assert run.metrics["val_r2"].iloc[-1] > 0.99
    torch.testing.assert_close(run.predict(x).values.float(), model(x)[:, 0].detach())
    pixels = torch.randint(0, 255, (40, 1, 4, 4), dtype=torch.uint8)
    labels = (pixels.float().mean((1, 2, 3)) > 127).long()
    run = fit(
        nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), (pixels, labels), (pixels, labels), lr=0.1, epochs=30, batch_size=8, progress=False
    )
    assert run.predict(pixels).ids.eq(labels).float().mean() == pytest.approx(run.metrics["val_accuracy"].iloc[-1])


def test_yes_or_no_is_no_regression():
    x, y = rows(classes=2)
    run = fit(
        net(classes=1),
        [(x, y.float()[:, None])],
        [(x, y.float()[:, None])],
        loss=F.binary_cross_entropy_with_logits,
        epochs=2,
        progress=False,
    )
    assert "val_f1" in run.metrics and "val_r2" not in run.metrics


def test_transformers_model_with_its_own_loss():
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, num_labels=3,
                        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)  # fmt: skip
    torch.manual_seed(0)
    model = BertForSequenceClassification(config)
    twin = copy.deepcopy(model)
    ids, y = torch.randint(0, 20, (40, 7)), torch.randint(0, 3, (40,))
    batches = [
        {"input_ids": ids[k : k + 10], "attention_mask": torch.ones_like(ids[k : k + 10]), "labels": y[k : k + 10]} for k in (0, 10, 20, 30)
    ]
    expected = by_hand(twin.train(), batches, torch.optim.AdamW(twin.parameters(), lr=1e-2), lambda m, b: m(**b).loss, 2)
    run = fit(model, batches, batches, optimizer=torch.optim.AdamW, lr=1e-2, epochs=2, every=1, progress=False)
    assert run.metrics["loss"].tolist() == pytest.approx(expected, rel=1e-6)
    assert run.metrics["val_accuracy"].notna().any()


def test_techniques_and_names():
    x, y = rows()
    model = net()
    run = fit(
        model,
        (x, y),
        (x, y),
        optimizer="adamw",
        lr=1e-2,
        schedule="cosine",
        techniques=["ema", danlu.techniques.Clip(1.0)],
        epochs=4,
        batch_size=16,
        progress=False,
    )
    assert run.metrics["lr"].iloc[-1] < 1e-3
    average = run.kept_weights()
    assert average is not None and not torch.equal(average["0.weight"], model.state_dict()["0.weight"])
    with pytest.raises(danlu.BadInput, match="`adam`"):
        fit(net(), (x, y), optimizer="adamv", epochs=1)


class Endless(IterableDataset):
    def __iter__(self):
        x, y = rows()
        yield from zip(x, y)


def test_streams_count_steps():
    loader = DataLoader(Endless(), batch_size=8)
    with pytest.raises(danlu.BadInput, match="steps="):
        fit(net(), loader, loss=F.cross_entropy, epochs=1)
    run = fit(net(), loader, loader, loss=F.cross_entropy, steps=30, progress=False)
    assert run.step == 30 and run.metrics["val_loss"].notna().sum() == 10


def nothing():
    yield from ()


@pytest.mark.parametrize(
    ("train", "settings", "words"),
    [
        (iter([1]), {}, "iterator"),
        (nothing(), {}, "iterator"),
        ([], {}, "no batch"),
        ([torch.ones(3, 2)], {}, "Tensor \\(3, 2\\)"),
        ([{"x": torch.ones(3, 6), "kind": torch.ones(3)}], {}, "target=..."),
        ([{"a": torch.ones(3, 6), "b": torch.ones(3), "y": torch.ones(3)}], {}, "forward"),
        ([(torch.ones(3, 6), torch.ones(3), torch.ones(3))], {}, "2 inputs"),
        (DataLoader(TensorDataset(*rows()), 8), {"batch_size": 4}, "micro_batch_size"),
        (Endless(), {}, "DataLoader"),
        (5, {}, "int"),
        (None, {}, "no data"),
        (rows(), {"target": "y"}, "target=y"),
        (pandas.DataFrame({"a": ["x"], "y": [1]}), {"target": "y"}, "no numbers: a"),
        (pandas.DataFrame({"a": ["x"], "y": [1]}), {}, "no column"),
        (rows(), {"optimizer": torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)}, "0.weight"),
        (rows(), {"optimizer": torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1), "lr": 1.0}, "leave out lr"),
    ],
)
def test_refused_with_a_sentence(train, settings, words):
    with pytest.raises(danlu.BadInput, match=words):
        fit(nn.Sequential(nn.Linear(6, 3)), train, **{"loss": F.cross_entropy, "epochs": 1, "progress": False, **settings})


def test_loader_that_is_used_up(capsys):
    class Once:
        def __init__(self):
            self.left = [rows()]

        def __len__(self):
            return 1

        def __iter__(self):
            while self.left:
                yield self.left.pop()

    with pytest.raises(danlu.BadInput, match="pass 1"):
        fit(net(), Once(), loss=F.cross_entropy, epochs=2, progress=False)
    assert "its own order" in capsys.readouterr().err


def test_interrupt_keeps_the_model(capsys):
    """A step that is going on ends; going on from there gives what an uninterrupted run gives."""
    x, y = rows()
    model, twin = net(), net()
    seen = []

    class Interrupting(Dataset):
        def __len__(self):
            return len(x)

        def __getitem__(self, i):
            seen.append(i)
            if len(seen) == 120 + 64:  # beyond the rows that were looked at first
                os.kill(os.getpid(), signal.SIGINT)
            return x[i], y[i]

    settings = {"loss": F.cross_entropy, "lr": 1e-2, "epochs": 3, "batch_size": 16, "progress": False}
    run = fit(model, Interrupting(), **settings)
    assert 0 < run.step < run.total and "interrupted" in capsys.readouterr().err
    run.go_on()
    assert run.step == run.total
    fit(twin, TensorDataset(x, y), **settings)
    assert same(model, twin)


def test_numbers_that_are_not_finite():
    x, y = rows()
    batches = [(x, y)] + [(x * float("nan"), y)] * 200
    with pytest.raises(danlu.errors.Diverged):
        fit(net(), batches, loss=F.cross_entropy, epochs=1, progress=False)


def test_in_a_run_folder(tmp_path):
    x, y = rows()
    loader = DataLoader(TensorDataset(x, y), batch_size=16)
    model = net()
    run = fit(model, loader, loader, loss=F.cross_entropy, lr=1e-2, epochs=3, out=tmp_path / "run", progress=False)
    assert run.folder == tmp_path / "run" and (tmp_path / "run" / "report.html").is_file()
    assert run.metrics["val_loss"].notna().sum() == 3
    weights = danlu.load(tmp_path / "run", model=net()).module.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert fit(net(), loader, loader, loss=F.cross_entropy, lr=1e-2, epochs=3, out=tmp_path / "run", progress=False).metrics.equals(
        run.metrics
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_shows_itself(tmp_path, language):
    speak(language)
    x, y = rows()
    run = fit(net(), (x, y), (x, y), epochs=4, batch_size=16, progress=False)
    page = run._repr_html_()
    assert "val_accuracy" in page and "data:image/png;base64," in page
    assert ("第 24 步" if language == "zh" else "step 24") in repr(run)
    assert run.plot()._repr_png_().startswith(b"\x89PNG")
    assert run.plot("val_accuracy").save(tmp_path / "a.svg").read_text().startswith("<?xml")
    with pytest.raises(danlu.BadInput, match="val_nothing"):
        run.plot("val_nothing")
    assert np.isfinite(run.metrics["loss"]).all()
