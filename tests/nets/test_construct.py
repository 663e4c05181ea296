"""What may stand in a recipe's `model`: descriptions, modules, classes, functions, other libraries' models by name."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from danlu.data.source import Facts
from danlu.errors import BadInput, speak
from danlu.nets.construct import construct
from danlu.nets.dropout import Dropout
from danlu.nets.flops import step_flops
from danlu.nets.foreign import Timm, Transformers
from danlu.nets.mlp import MLP

torch.set_num_threads(1)
ROWS = Facts("classify", (4,), 3)
IMAGES = Facts("classify", (3, 32, 32), 10)
TEXT = Facts("language", (16,), 50, vocab=50)


class Net(nn.Module):
    def __init__(self, in_features, num_classes=99, hidden=8):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(in_features, hidden), Dropout(0.5), nn.Linear(hidden, num_classes))
        self.classes = num_classes


def test_everything_that_makes_a_model():
    assert construct(MLP(), ROWS)(torch.zeros(2, 4)).shape == (2, 3)
    live = nn.Linear(4, 3)
    assert construct(live, ROWS) is live
    made = construct(Net, ROWS)
    assert made.classes == 3 and made.layers[1].path == "layers.1"
    assert construct(functools.partial(Net, num_classes=7, hidden=2), ROWS).classes == 7
    assert isinstance(construct(lambda: nn.Identity(), ROWS), nn.Identity)
    assert construct(lambda facts: nn.Linear(4, facts.outputs), ROWS).out_features == 3
    assert construct(nn.Linear, ROWS).weight.shape == (3, 4)


def test_names_are_filled_from_the_facts():
    def factory(in_channels, image_size, num_classes, width=5, **rest):
        assert (in_channels, image_size, num_classes, width, rest) == (3, 32, 10, 5, {})
        return nn.Identity()

    construct(factory, IMAGES)

    def language(vocab_size, block_size):
        assert (vocab_size, block_size) == (50, 16)
        return nn.Identity()

    construct(language, TEXT)


@pytest.mark.parametrize(
    "model, words", [(3, "int"), ("mlp", "str"), (lambda: 4, "int"), (lambda depth: nn.Identity(), "depth"), (dict, "dict")]
)
def test_what_is_no_model_is_refused_in_a_sentence(model, words):
    with pytest.raises(BadInput, match=words):
        construct(model, ROWS)


def test_step_flops_counts_and_moves_nothing():
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 3)).train()
    model[2].eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    assert step_flops(model, torch.randn(5, 4)) == 3 * 2 * 5 * (4 * 8 + 8 * 3)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert model.training and model[1].training and not model[2].training
    assert step_flops(nn.Linear(4, 3), {"input": torch.randn(5, 4)}) == 3 * 2 * 5 * 12


@pytest.mark.parametrize("package, extra, model", [("timm", "timm", Timm()), ("transformers", "hf", Transformers(config="gpt2"))])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_missing_package_names_the_extra(monkeypatch, package, extra, model, language):
    class Absent:
        def find_spec(self, name, path=None, target=None):
            if name == package:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    speak(language)
    try:
        with pytest.raises(BadInput, match=rf"pip install 'danlu\[{extra}\]'"):
            model(IMAGES if package == "timm" else TEXT)
    finally:
        speak(None)


def test_a_package_that_does_not_load_says_why(monkeypatch, tmp_path):
    (tmp_path / "timm.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "timm", raising=False)
    with pytest.raises(BadInput, match="a_package_that_is_not_there"):
        Timm()(IMAGES)


@pytest.mark.slow
def test_timm_by_name_beside_a_torchvision_that_was_built_for_another_torch():
    """`make test` puts both into a folder beside the environment, where nothing else imports them."""
    folder = Path(sys.prefix) / "timm"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there; make test makes it")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    done = subprocess.run([sys.executable, "-c", TIMM], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2,10", "resnet18", "BertModel"]


TIMM = """
import torch
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.nets.construct import construct
from danlu.nets.foreign import Timm
images = Facts("classify", (3, 32, 32), 10)
print(*construct(Timm(model="resnet18"), images)(torch.zeros(2, 3, 32, 32)).shape, sep=",")
try:
    Timm(model="resnet18x")(images)
except BadInput as error:
    print("resnet18" if "resnet18" in str(error).replace("resnet18x", "") else error)
import transformers
print(transformers.BertModel.__name__)
"""


SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}


@pytest.mark.slow
def test_transformers_by_type_and_by_folder(tmp_path):
    pytest.importorskip("transformers")
    model = construct(Transformers(config="llama", settings={**SMALL, "num_key_value_heads": 2}), TEXT).eval()
    tokens = torch.randint(50, (2, 16))
    logits = model(tokens).logits
    assert type(model).__name__ == "LlamaForCausalLM" and logits.shape == (2, 16, 50)
    model.save_pretrained(tmp_path / "saved")
    assert torch.equal(construct(Transformers(path=str(tmp_path / "saved")), TEXT).eval()(tokens).logits, logits)
    fresh = construct(Transformers(path=str(tmp_path / "saved"), pretrained=False), TEXT).eval()
    assert not torch.equal(fresh(tokens).logits, logits) and fresh.config.hidden_size == 32


@pytest.mark.slow
def test_transformers_classify_and_never_see_padding():
    pytest.importorskip("transformers")
    facts = Facts("classify", (16,), 3, vocab=50, padding=1)
    model = construct(Transformers(config="bert", settings=SMALL), facts).eval()
    tokens = torch.randint(2, 50, (2, 16))
    tokens[:, 10:] = 1
    assert model(tokens).logits.shape == (2, 3)
    assert torch.allclose(model(tokens).logits, model(tokens[:, :10]).logits, atol=1e-5)
    assert torch.allclose(model(input_ids=tokens).logits, model(tokens).logits, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model, facts, words",
    [
        (Transformers(), TEXT, "exactly one"),
        (Transformers(path="x", config="llama"), TEXT, "exactly one"),
        (Transformers(config="lama"), TEXT, "`llama`"),
        (Transformers(config="llama", settings={"hiden_size": 3}), TEXT, "`hidden_size`"),
        (Transformers(path="nowhere"), TEXT, "nowhere"),
        (Transformers(config="llama", settings={"vocab_size": 3}), TEXT, "vocab_size"),
        (Transformers(config="bert", settings={"max_position_embeddings": 8}), TEXT, "max_position_embeddings"),
        (Transformers(config="bert"), IMAGES, "vit"),
        (Transformers(config="bert", kind="causal"), Facts("classify", (4,), 2, vocab=9), "kind"),
    ],
)
def test_transformers_that_do_not_fit_are_refused_in_a_sentence(model, facts, words):
    pytest.importorskip("transformers")
    with pytest.raises(BadInput, match=words):
        model(facts)


def test_a_folder_without_configuration_is_said(tmp_path):
    pytest.importorskip("transformers")
    (tmp_path / "notes.txt").write_text(json.dumps({}))
    with pytest.raises(BadInput, match=r"notes\.txt"):
        Transformers(path=str(tmp_path))(TEXT)
