"""Sampling draws from the distribution that it says, remembers its window, and repeats under its seed."""

import json

import pytest
import torch

import danlu
from danlu.cli.main import main
from danlu.core import Recipe
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import BadInput, Refused
from danlu.nets.gpt import GPT
from danlu.run import preprocess
from danlu.use.load import Trained
from danlu.use.sample import draw, sample

torch.set_num_threads(1)
ALPHABET = "abcdefgh"


@pytest.fixture(scope="module")
def trained():
    """A tiny GPT over eight letters, at its initial weights."""
    from danlu.data.tokenizers import Characters

    tokenizer = Characters.train([ALPHABET * 3])
    facts = Facts("language", (6,), tokenizer.vocab, vocab=tokenizer.vocab, rows=10)
    recipe = Recipe(model=GPT(width=16, depth=1, heads=2), data=lambda: None, steps=1, batch_size=2, device="cpu")
    return Trained(None, recipe, {"kind": "text", "tokenizer": tokenizer.form()}, facts)


def test_the_same_seed_gives_the_same_text_and_another_another(trained):
    texts = ["".join(sample(trained, "abc", 40, temperature=1.0, seed=seed)) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) == 40
    assert set(texts[0]) <= set(ALPHABET) | {"\ufffd"}


def test_greedy_is_the_models_most_probable_token(trained):
    from danlu.data.tokenizers import from_form

    tokenizer, ids = from_form(trained.form["tokenizer"]), []
    context = tokenizer.encode("abc").tolist()
    with torch.no_grad():
        for _ in range(12):
            ids.append(int(trained.module(torch.tensor([(context + ids)[-6:]]))[0, -1].argmax()))
    assert "".join(sample(trained, "abc", 12, temperature=0)) == tokenizer.decode(ids)


def test_draws_follow_the_softmax():
    scores = torch.tensor([2.0, 1.0, 0.0, -1.0], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.bincount(torch.tensor([draw(scores, 0.5, None, None, generator) for _ in range(4000)]), minlength=4) / 4000
    assert torch.allclose(drawn.double(), (scores / 0.5).softmax(0), atol=0.03)


def test_top_k_and_top_p_keep_what_they_say():
    scores = torch.tensor([0.5, 0.3, 0.15, 0.05], dtype=torch.float64).log()
    generator = torch.Generator().manual_seed(0)
    assert {draw(scores, 1.0, 2, None, generator) for _ in range(200)} == {0, 1}
    assert {draw(scores, 1.0, None, 0.5, generator) for _ in range(200)} == {0}
    assert {draw(scores, 1.0, None, 0.79, generator) for _ in range(200)} == {0, 1}
    assert {draw(scores, 1.0, None, 0.81, generator) for _ in range(400)} == {0, 1, 2}


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0}, {"top_p": 1.5}, {"tokens": 0}], ids=str)
def test_settings_out_of_range_are_named(trained, wrong):
    with pytest.raises(BadInput, match=next(iter(wrong))):
        sample(trained, "abc", **wrong)


def test_an_empty_prompt_and_another_task_are_refused(trained):
    with pytest.raises(BadInput, match="prompt"):
        sample(trained, "")
    other = Trained.__new__(Trained)
    other.facts = Facts("classify", (2,), 2)
    with pytest.raises(Refused, match="classify"):
        sample(other, "abc")


def test_from_the_command_line(tmp_path, capsys):
    """A real run on a text of its own alphabet, small enough to know it by heart."""
    from danlu.data.tokenizers import Characters

    tokenizer = Characters.train([ALPHABET])
    ids = tokenizer.encode(ALPHABET * 30)
    x = torch.stack([ids[i : i + 8] for i in range(64)])
    y = torch.stack([ids[i + 1 : i + 9] for i in range(64)])
    facts = Facts("language", (8,), tokenizer.vocab, vocab=tokenizer.vocab, rows=64)
    own = tmp_path / "own.py"
    own.write_text(
        "import torch\nfrom danlu import Data, Facts, Tensors\n"
        f"def letters():\n    x, y = torch.tensor({x.tolist()}), torch.tensor({y.tolist()})\n"
        f"    facts = Facts('language', (8,), {tokenizer.vocab}, vocab={tokenizer.vocab}, rows=64)\n"
        f"    return Data(Tensors(x, y), facts, preprocess={{'kind': 'text', 'tokenizer': {tokenizer.form()!r}}})\n"
    )
    recipe = tmp_path / "letters.yaml"
    recipe.write_text(
        f"model: {{gpt: {{width: 16, depth: 1, heads: 2}}}}\ndata: {own}:letters\noptimizer: {{adamw: {{lr: 1e-2}}}}\n"
        "steps: 150\nbatch_size: 16\ndevice: cpu\n"
    )
    assert main(["train", str(recipe), "--no-check", "--out", str(tmp_path / "run"), "--quiet"]) == 0
    capsys.readouterr()
    assert main(["sample", str(tmp_path / "run"), "--prompt", "abc", "--tokens", "5", "--temperature", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "defgh"
    assert main(["sample", str(tmp_path / "run"), "--prompt", "abc", "--tokens", "x"]) == 2
    assert "--tokens" in capsys.readouterr().err
    assert preprocess.read(tmp_path / "run")[1].vocab == facts.vocab
    assert danlu.load(tmp_path / "run").facts.task == "language"
    assert Data(Tensors(x, y), facts).facts is facts
