"""Going on from weights: what is taken, skipped and new; ancestry; resuming; old files become safetensors and execute nothing."""

import collections
import json
import os
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import danlu
from danlu.cli.main import main
from danlu.errors import speak
from danlu.run.train import train
from danlu.use.apart import import_apart
from danlu.use.import_weights import import_weights
from danlu.use.start_from import start_from


@pytest.fixture(autouse=True)
def _english():
    torch.set_num_threads(1)
    speak("en")
    yield
    speak(None)


def rows(classes=3, count=60):
    draw = torch.Generator().manual_seed(classes)
    x = torch.randn(count, 5, generator=draw)
    return x, torch.arange(count) % classes


def recipe(classes=3, **changes):
    from danlu.nets.mlp import MLP

    fields = {
        "model": MLP(hidden=(8,)),
        "data": rows(classes),
        "epochs": 2,
        "batch_size": 20,
        "optimizer": danlu.optim.AdamW(lr=1e-2),
        "device": "cpu",
    }
    return danlu.Recipe(**{**fields, **changes})


@pytest.fixture
def parent(tmp_path):
    return train(recipe(), tmp_path / "parent").folder


def named(run):
    return {name: value.detach().clone() for name, value in run.model.state_dict().items()}


def test_all_of_a_run(parent):
    weights = load_file(parent / "model.safetensors")
    run = danlu.Run(recipe(seed=7))
    taken = start_from(run, str(parent))
    assert all(torch.equal(value, weights[name]) for name, value in named(run).items())
    assert sorted(taken.taken) == sorted(weights) and not (taken.skipped or taken.new or taken.unused)
    assert taken.origin["step"] and taken.origin["sha256"]
    assert not run.optimizer.state  # fresh
    assert start_from(danlu.Run(recipe()), f"{parent}@latest").origin["step"] == 6


def test_changed_class_count(parent, capsys):
    weights = load_file(parent / "model.safetensors")
    run = danlu.Run(recipe(classes=4))
    fresh = named(run)
    taken = start_from(run, str(parent))
    last = [name for name in weights if weights[name].shape[0] == 3]
    assert len(last) == 2 and sorted(name.split(" ")[0] for name in taken.skipped) == sorted(last)
    for name, value in named(run).items():
        assert torch.equal(value, fresh[name] if name in last else weights[name])
    assert "2 skipped" in "\n".join(taken.said()) and "[3, 8] -> [4, 8]" in "\n".join(taken.said())


def test_file_with_other_prefix(parent, tmp_path):
    weights = load_file(parent / "model.safetensors")
    for prefix in ("", "net.", "a.b."):
        save_file({prefix + name: value for name, value in weights.items()}, tmp_path / "a.safetensors")
        run = danlu.Run(recipe(seed=9))
        taken = start_from(run, str(tmp_path / "a.safetensors"))
        assert all(torch.equal(value, weights[name]) for name, value in named(run).items())
        assert taken.prefix == (f"-{prefix}" if prefix else "")


def test_hub_folder_and_cache(parent, tmp_path, monkeypatch):
    """A local folder, whole or in shards; the hub's cache without a network; and a sentence where there is neither."""
    weights = load_file(parent / "model.safetensors")
    folder = tmp_path / "folder"
    folder.mkdir()
    names = sorted(weights)
    save_file({names[0]: weights[names[0]]}, folder / "one.safetensors")
    save_file({name: weights[name] for name in names[1:]}, folder / "two.safetensors")
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {name: "one.safetensors" if name == names[0] else "two.safetensors" for name in names}})
    )
    assert len(start_from(danlu.Run(recipe()), f"hf:{folder}").taken) == len(names)
    snapshot = tmp_path / "cache" / "models--me--net" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (tmp_path / "cache" / "models--me--net" / "refs").mkdir()
    (tmp_path / "cache" / "models--me--net" / "refs" / "main").write_text("abc")
    save_file(weights, snapshot / "model.safetensors")
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert len(start_from(danlu.Run(recipe()), "hf:me/net").taken) == len(names)
    with pytest.raises(danlu.BadInput, match="hf:me/other"):
        start_from(danlu.Run(recipe()), "hf:me/other")


def test_training_from_and_ancestry(parent, tmp_path):
    """The new run differs from one without, its record tells where it is from, its child tells both; resuming does not start again."""
    told = []
    child = train(recipe(epochs=1), tmp_path / "child", start=str(parent), tell=told.append).folder
    alone = train(recipe(epochs=1), tmp_path / "alone").folder
    assert any("4 tensors taken" in line for line in told)
    with_and_without = [torch.cat([v.flatten() for v in load_file(f / "model.safetensors").values()]) for f in (child, alone)]
    assert not torch.equal(*with_and_without)
    grandchild = train(recipe(epochs=1, seed=3), tmp_path / "grandchild", start=str(child)).folder
    ancestry = json.loads((grandchild / "record.json").read_text())["ancestry"]
    assert ancestry["run"] == str(child) and ancestry["before"]["run"] == str(parent) and ancestry["taken"] == 4
    before = load_file(child / "model.safetensors")
    again = train(recipe(epochs=1), tmp_path / "child", start=str(parent)).folder
    after = load_file(again / "model.safetensors")
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    with pytest.raises(danlu.BadInput, match="began from"):
        train(recipe(epochs=1), tmp_path / "child", start=str(alone))


def test_interrupted_is_the_same(parent, tmp_path):
    """Stopped in the middle and gone on with the same command: bit for bit the run that was never stopped."""
    from danlu.run.stop import Stopped

    def interrupt(report, run):
        if report.step == 3:
            os.kill(os.getpid(), 15)

    whole = train(recipe(epochs=3), tmp_path / "whole", start=str(parent)).folder
    with pytest.raises(Stopped):
        train(recipe(epochs=3), tmp_path / "parts", start=str(parent), watchers=[interrupt])
    parts = train(recipe(epochs=3), tmp_path / "parts", start=str(parent)).folder
    a, b = (load_file(folder / "model.safetensors") for folder in (whole, parts))
    assert all(torch.equal(value, b[name]) for name, value in a.items())


def test_average_starts_from_the_weights(parent):
    run = danlu.Run(recipe(techniques=(danlu.techniques.EMA(decay=1.0, warmup=False),)))
    start_from(run, str(parent))
    for _ in run:
        pass
    weights = load_file(parent / "model.safetensors")
    assert all(torch.equal(value, weights[name]) for name, value in run.kept_weights("ema").items() if name in weights)


def test_nothing_fits_makes_no_folder(parent, tmp_path, capsys):
    save_file({"other": torch.zeros(2)}, tmp_path / "a.safetensors")
    with pytest.raises(danlu.Refused, match="other"):
        train(recipe(), tmp_path / "run", start=str(tmp_path / "a.safetensors"))
    assert not (tmp_path / "run").exists()
    assert main(["train", "digits", "--from", str(tmp_path / "a.safetensors"), "--out", str(tmp_path / "run"), "--quiet"]) == 3
    assert main(["train", "digits", "--from", str(tmp_path / "none.safetensors"), "--out", str(tmp_path / "run"), "--quiet"]) == 2
    assert main(["train", "digits", "--from", str(tmp_path / "a.pt"), "--out", str(tmp_path / "run"), "--quiet"]) == 2
    assert "danlu import" in capsys.readouterr().err and not (tmp_path / "run").exists()
    (tmp_path / "a.safetensors").write_bytes(b"nonsense")
    assert main(["train", "digits", "--from", str(tmp_path / "a.safetensors"), "--out", str(tmp_path / "run"), "--quiet"]) == 2


# ---- import ----


@pytest.mark.parametrize("form", ["plain", "nested", "wrapped", "compiled"])
def test_import(tmp_path, form, capsys):
    weights = {"a.weight": torch.randn(3, 2), "a.bias": torch.zeros(3)}
    weights["tied"] = weights["a.weight"]
    saved = {
        "plain": weights,
        "nested": {"epoch": 3, "optimizer": {}, "state_dict": weights},
        "wrapped": {"model": {f"module.{name}": value for name, value in weights.items()}},
        "compiled": {f"_orig_mod.module.{name}": value for name, value in weights.items()},
    }[form]
    torch.save(saved, tmp_path / "a.pt")
    assert main(["import", str(tmp_path / "a.pt"), str(tmp_path / "a.safetensors")]) == 0
    found = load_file(tmp_path / "a.safetensors")
    assert found.keys() == weights.keys() and all(torch.equal(value, found[name]) for name, value in weights.items())
    assert "3 tensors" in capsys.readouterr().out
    assert main(["import", str(tmp_path / "a.pt"), str(tmp_path / "a.safetensors")]) == 2  # never written over


class Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


def test_import_executes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Evil()}, "evil.pt")
    with pytest.raises(danlu.BadInput, match="system"):
        import_weights("evil.pt", "out.safetensors")
    (tmp_path / "old.bin").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(danlu.BadInput):
        import_weights("old.bin", "out.safetensors")
    torch.save(nn.Linear(2, 2), "module.pt")
    with pytest.raises(danlu.BadInput, match="Linear"):
        import_weights("module.pt", "out.safetensors")
    assert not (tmp_path / "executed").exists() and not (tmp_path / "out.safetensors").exists()


def test_import_of_bad_files(tmp_path):
    torch.save({"a": torch.zeros(1000)}, tmp_path / "a.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "a.pt").read_bytes()[:900])
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "text.pt").write_text("hello")
    torch.save({"epoch": 3}, tmp_path / "none.pt")
    for name in ("cut", "empty", "text", "none", "missing"):
        with pytest.raises(danlu.BadInput, match=name):
            import_weights(tmp_path / f"{name}.pt", tmp_path / "out.safetensors")
    with pytest.raises(danlu.BadInput, match="safetensors"):
        import_weights(tmp_path / "a.pt", tmp_path / "out.bin")
    assert not (tmp_path / "out.safetensors").exists()


def test_import_of_what_would_never_end(tmp_path):
    """A key of 60 tuples, each twice the one before: a pickle of half a kilobyte, whose hash is 2 ** 60 steps away."""
    tuples = b"".join(b"h%ch%c\x86q%c" % (k, k, k + 1) for k in range(60))
    (tmp_path / "a.pt").write_bytes(b"\x80\x02()q\x00" + tuples + b"t}h%cK\x01s\x86." % 60)
    with pytest.raises(danlu.BadInput, match="took more than 3 s"):
        import_apart(tmp_path / "a.pt", tmp_path / "out.safetensors", seconds=3)
    assert not list(tmp_path.glob("out*"))


def test_import_of_what_would_grow(tmp_path):
    torch.save({"a": torch.zeros(4), "b": torch.zeros(1).expand(1 << 27)}, tmp_path / "wide.pt")
    torch.save({f"w{number}": view for number, view in enumerate([torch.zeros(1 << 20).view(-1)] * 100)}, tmp_path / "many.pt")
    with zipfile.ZipFile(tmp_path / "many.pt") as old, zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    tied = torch.randn(1 << 16)
    torch.save({"a": tied, "b": tied.view(256, 256)}, tmp_path / "tied.pt")
    for name, words in (("wide", "written as 536870928"), ("many", "written as 419430400"), ("packed", "is packed")):
        with pytest.raises(danlu.BadInput, match=words):
            import_weights(tmp_path / f"{name}.pt", tmp_path / "out.safetensors")
    assert not list(tmp_path.glob("out*"))
    assert import_weights(tmp_path / "tied.pt", tmp_path / "out.safetensors").tensors == 2


@pytest.mark.filterwarnings("ignore")  # of torch, on its own kinds of tensors
@pytest.mark.parametrize("kind", ["sparse", "csr", "meta", "complex128"])
def test_import_of_tensors_that_safetensors_cannot_hold(tmp_path, kind):
    plain = torch.eye(3)
    made = {"sparse": plain.to_sparse(), "csr": plain.to_sparse_csr(), "meta": plain.to("meta"), "complex128": plain.to(torch.complex128)}
    torch.save({"fine": plain, "odd": made[kind]}, tmp_path / "a.pt")
    with pytest.raises(danlu.BadInput, match="`odd`"):
        import_weights(tmp_path / "a.pt", tmp_path / "out.safetensors")
    assert not list(tmp_path.glob("out*"))


def test_import_does_not_pass_on_torchs_advice(tmp_path):
    (tmp_path / "a.bin").write_bytes(pickle.dumps(collections.deque([1])))
    with pytest.raises(danlu.BadInput) as caught:
        import_weights(tmp_path / "a.bin", tmp_path / "out.safetensors")
    assert "weights_only" not in str(caught.value) and "trusted" not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_import_writes_through_no_link(tmp_path):
    torch.save({"a": torch.zeros(4)}, tmp_path / "a.pt")
    (tmp_path / "victim").write_text("as it was")
    os.symlink("nowhere", tmp_path / "dangling.safetensors")
    with pytest.raises(danlu.BadInput):
        import_weights(tmp_path / "a.pt", tmp_path / "dangling.safetensors")
    os.symlink("victim", tmp_path / "out.safetensors.tmp")
    import_weights(tmp_path / "a.pt", tmp_path / "out.safetensors")
    assert (tmp_path / "victim").read_text() == "as it was" and not (tmp_path / "nowhere").exists()
    assert (tmp_path / "out.safetensors").is_file() and not (tmp_path / "out.safetensors").is_symlink()


@pytest.mark.parametrize("raw", [b"\xff" * 100, (2**40).to_bytes(8, "little") + b"{}", b"\x02" + b"\0" * 7 + b"[]", b""])
def test_made_up_files_are_refused_by_import_and_from(tmp_path, raw):
    from danlu.errors import BadInput
    from danlu.use import start_from as weights

    (tmp_path / "a.safetensors").write_bytes(raw)
    with pytest.raises(BadInput):
        import_weights(tmp_path / "a.safetensors", tmp_path / "out.safetensors")
    with pytest.raises(BadInput):
        weights.read(str(tmp_path / "a.safetensors"))
    assert not (tmp_path / "out.safetensors").exists()
