"""The data sets themselves, on the real files: counts, shapes, facts, and splits that share no row."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

from danlu.data import adult, banking77, california_housing, cifar, corpora, mnist
from danlu.data.bundled import BreastCancer, Digits, Wine
from danlu.data.checks import check_rows
from danlu.data.images import channel_statistics
from danlu.data.stdlib_code import StdlibCode
from danlu.data.text import decoded

SETS = {
    "digits": (Digits(), 1797),
    "wine": (Wine(), 178),
    "breast_cancer": (BreastCancer(), 569),
}
REAL = {
    "fashion_mnist": mnist.FashionMNIST(),
    "mnist_test10k": mnist.MNIST(subset=True),
    "banking77": banking77.Banking77(),
    "adult": adult.Adult(),
    "california_housing": california_housing.CaliforniaHousing(),
}
FILES = {
    "fashion_mnist": mnist.FASHION_FILES,
    "mnist_test10k": mnist.MNIST_TEST_FILES,
    "cifar10_jpeg": cifar.FILES,
    "tinyshakespeare": corpora.SHAKESPEARE_FILES,
    "chinese_poetry": corpora.POETRY_FILES,
    "banking77": banking77.FILES,
    "adult": adult.FILES,
    "california_housing": california_housing.FILES,
}


@pytest.fixture
def manifest(shared):
    return json.loads((shared / "MANIFEST.json").read_text(encoding="utf-8"))


def splits(data):
    return [data.train, data.val, data.test]


def sound(data):
    """What holds of every set."""
    check_rows(data, 32)
    json.dumps(data.preprocess, allow_nan=False)
    assert re.fullmatch("[0-9a-f]{64}", data.fingerprint)
    assert data.facts.rows == len(data.train)
    for rows in splits(data):
        inputs, targets = rows.fetch(torch.tensor([0, len(rows) - 1]), 0)
        first = inputs["numeric"] if isinstance(inputs, dict) else inputs
        assert first.shape == (2, *data.facts.shape)
        assert len(targets) == 2
    if data.facts.task == "classify":
        assert tuple(torch.bincount(data.train.targets).tolist()) == data.facts.class_counts
        assert len(data.facts.labels) == data.facts.outputs


@pytest.mark.parametrize("name", FILES)
def test_checksums_are_those_of_the_manifest(manifest, name):
    assert FILES[name].items() <= manifest[name]["files"].items()


@pytest.mark.parametrize("name", SETS)
def test_bundled_sets(name):
    description, rows = SETS[name]
    data = description()
    sound(data)
    assert sum(map(len, splits(data))) == rows
    together = torch.cat([part.inputs for part in splits(data)])
    assert abs(len(data.test) / rows - 0.2) < 0.01
    if name == "digits":
        assert (float(together.min()), float(together.max())) == (0.0, 1.0)
    else:
        np.testing.assert_allclose(data.train.inputs.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(data.train.inputs.std(0, correction=0), 1, atol=1e-5)
    assert len(data.preprocess["columns"]) == data.facts.shape[0]


@pytest.mark.parametrize("name", REAL)
def test_real_sets_have_the_manifests_rows(manifest, name):
    data = REAL[name]()
    sound(data)
    counts = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d", manifest[name]["rows"])]
    if name in ("fashion_mnist", "banking77", "adult"):
        assert [len(data.train) + len(data.val), len(data.test)] == counts[:2]
    else:
        assert sum(map(len, splits(data))) == counts[0]


def test_fashion_mnist_is_normalised_and_augments_train_alone(shared):
    data = mnist.FashionMNIST(augment="flip_crop", workers=2)()
    mean, std = channel_statistics(data.train.images)
    np.testing.assert_allclose(data.train.mean + data.train.std, mean + std, atol=0.01)
    assert (data.train.augment, data.train.workers, data.val.augment, data.test.augment) == ("flip_crop", 2, "none", "none")
    assert data.facts.class_counts == (5500,) * 10
    assert data.facts.shape == (1, 28, 28)
    assert data.val.targets.bincount().tolist() == [500] * 10
    assert data.test.targets[:6].tolist() == [9, 2, 1, 1, 6, 1]  # the order of the official test file


def test_mnist_says_that_it_is_a_subset(shared):
    data = mnist.MNIST(subset=True)()
    assert data.preprocess["subset"] is True
    assert [len(rows) for rows in splits(data)] == [8000, 1000, 1000]
    mean, std = channel_statistics(data.train.images)
    np.testing.assert_allclose(data.train.mean + data.train.std, mean + std, atol=0.01)
    if not (shared / "mnist").is_dir():
        assert mnist.MNIST()().fingerprint == data.fingerprint


def test_cifar_decodes_as_the_small_set_was(shared, tmp_path):
    pytest.importorskip("PIL", reason="the extra vision is not installed")
    small = np.load(shared / "cifar10_small" / "cifar10_small.npz")
    packed = np.load(shared / "cifar10_jpeg" / "train.npz")
    blob, offset, some = packed["blob"], packed["offset"], small["train_index"][:50]
    parts = [blob[offset[row] : offset[row + 1]] for row in some]
    path = tmp_path / "train.npz"
    np.savez(path, blob=np.concatenate(parts), offset=np.cumsum([0, *map(len, parts)]), label=packed["label"][some])
    arrays = cifar.decode(path)
    expected = small["x_train"][:50]
    expected = expected.transpose(0, 3, 1, 2) if expected.shape[-1] == 3 else expected
    assert np.abs(arrays["images"].astype(int) - expected).max() <= 2  # JPEG decoders round differently
    np.testing.assert_array_equal(arrays["labels"], small["y_train"][:50])


def test_cifar_image_that_cannot_be_read_is_named(tmp_path):
    pytest.importorskip("PIL", reason="the extra vision is not installed")
    from danlu.errors import BadInput

    path = tmp_path / "train.npz"
    np.savez(path, blob=np.zeros(20, np.uint8), offset=np.array([0, 10, 20]), label=np.zeros(2, np.uint8))
    with pytest.raises(BadInput, match=f"image 0 of {path} cannot be read"):
        cifar.decode(path)


@pytest.mark.slow
def test_cifar_in_full(shared):
    pytest.importorskip("PIL", reason="the extra vision is not installed")
    data = cifar.CIFAR10(augment="flip")()
    sound(data)
    assert [len(rows) for rows in splits(data)] == [45000, 5000, 10000]
    mean, std = channel_statistics(data.train.images)
    np.testing.assert_allclose(data.train.mean + data.train.std, mean + std, atol=0.06)
    assert data.test.targets[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    assert cifar.CIFAR10()().fingerprint == data.fingerprint  # decoded once, read from the cache now


def test_adult_labels_and_unknowns(shared):
    data = adult.Adult()()
    assert data.facts.cardinalities == (9, 17, 8, 15, 7, 6, 3, 42)
    share = float(data.test.targets.float().mean())
    assert abs(share - 0.2362) < 1e-3  # adult.names: 23.6 % of the test rows earn more
    assert int((data.train.inputs["category"] == 0).sum()) > 0


def test_california_targets_return_to_dollars(shared):
    data = california_housing.CaliforniaHousing()()
    dollars = torch.cat([part.targets for part in splits(data)]) * data.facts.scale + data.facts.shift
    assert round(float(dollars.min())) == 14999
    assert round(float(dollars.max())) == 500001
    assert data.preprocess["columns"][-1] == "total_bedrooms missing"
    missing = sum(int(part.inputs["numeric"][:, -1].sum()) for part in splits(data))
    assert missing == 207  # the data's README


def test_banking77_questions_are_padded(shared):
    data = banking77.Banking77(length=12)()
    assert (data.facts.padding, data.facts.shape, data.facts.outputs) == (0, (12,), 77)
    first = decoded(data.preprocess, data.test.inputs[0])
    assert first == "how do i locate my card ?"
    assert data.test.inputs[0].tolist()[7:] == [0] * 5
    assert data.facts.labels[int(data.test.targets[0])] == "card_arrival"


@pytest.mark.parametrize("level", ["characters", "bpe"])
@pytest.mark.parametrize("description", [corpora.TinyShakespeare, corpora.ChinesePoetry])
def test_corpora_hold_the_whole_text(shared, description, level):
    if level == "bpe":
        pytest.importorskip("tokenizers", reason="the extra text is not installed")
    data = description(level=level, vocabulary=400)()
    sound(data)
    text = [decoded(data.preprocess, rows.tokens).removesuffix("<|end|>") for rows in splits(data)]
    if description is corpora.TinyShakespeare:
        assert "".join(text) == (shared / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    else:
        poems = [poem for part in text for poem in part.split("\n\n")]
        assert len(poems) == 6000
        lines = [{poem.partition("\n")[2] for poem in part.split("\n\n")} for part in text]
        assert not lines[0] & (lines[1] | lines[2])
        assert not lines[1] & lines[2]
    if level == "characters" and description is corpora.TinyShakespeare:
        assert data.facts.vocab == 66
        assert data.facts.bytes_per_token == 1.0


@pytest.mark.slow
def test_stdlib_code_in_full():
    pytest.importorskip("tokenizers", reason="the extra text is not installed")
    data = StdlibCode(vocabulary=1000)()
    sound(data)
    assert data.facts.vocab == 1000
    text = decoded(data.preprocess, data.val.tokens)
    assert text.count("def ") > 500
    assert text.count("import ") > 100
    assert data.facts.bytes_per_token > 2
