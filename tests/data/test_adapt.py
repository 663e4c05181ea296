"""What a recipe may say in `data`, and the facts inferred from arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from danlu.data.adapt import dataset
from danlu.data.bundled import Wine
from danlu.data.images import Images
from danlu.errors import BadInput

X = np.linspace(0, 1, 60).reshape(20, 3)


def test_descriptions_and_data_pass():
    data = dataset(Wine())
    assert data.facts.outputs == 3
    assert dataset(data) is data
    assert dataset(Wine).fingerprint == data.fingerprint
    assert dataset(lambda: data) is data


def test_integers_are_classes():
    facts = dataset((X, np.arange(20, dtype=np.int32) % 4)).facts
    assert (facts.task, facts.shape, facts.outputs, facts.rows) == ("classify", (3,), 4, 20)
    assert facts.class_counts == (5, 5, 5, 5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int8, np.int64, ">i4"])
def test_every_integer_type(dtype):
    _, y = dataset((X, (np.arange(20) % 4).astype(dtype))).train.fetch(torch.arange(4), 0)
    assert y.dtype == torch.int64
    assert y.tolist() == [0, 1, 2, 3]


def test_a_column_of_classes_is_flattened():
    assert dataset((X, np.arange(20)[:, None] % 2)).train.targets.shape == (20,)


def test_floats_are_regressed():
    data = dataset((torch.from_numpy(X), torch.rand(20)))
    assert (data.facts.task, data.facts.outputs) == ("regress", 1)
    assert data.train.targets.shape == (20, 1)
    assert data.train.inputs.dtype == torch.float32
    assert dataset((X, np.random.default_rng(0).random((20, 2)))).facts.outputs == 2


def test_bools_are_several_labels():
    data = dataset((X, np.eye(20, 5, dtype=bool)))
    assert (data.facts.task, data.facts.outputs, data.facts.class_counts) == ("multilabel", 5, (1, 1, 1, 1, 1))
    assert data.train.targets.dtype == torch.float32


def test_integer_inputs_are_tokens():
    tokens = torch.arange(40).view(20, 2)
    assert dataset((tokens, torch.arange(20) % 2)).facts.vocab == 40
    facts = dataset((tokens, tokens + 1)).facts
    assert (facts.task, facts.vocab, facts.outputs, facts.shape) == ("language", 41, 41, (2,))


def test_bytes_of_four_dimensions_are_images():
    data = dataset((np.random.default_rng(0).integers(0, 256, (20, 1, 4, 4), dtype=np.uint8), np.arange(20) % 2))
    assert isinstance(data.train, Images)
    x, _ = data.train.fetch(torch.arange(20), 0)
    assert abs(float(x.mean())) < 1e-5
    assert abs(float(x.std(correction=0)) - 1) < 1e-5


def test_pairs_of_pairs_have_val():
    y = np.arange(20) % 2
    data = dataset(((X, y), (X[:5], y[:5])))
    assert (len(data.train), len(data.val), data.test) == (20, 5, None)


def test_the_user_keeps_the_array():
    x = X.astype(np.float32).copy()
    data = dataset((x, np.arange(20) % 2))
    x[:] = 7
    assert float(data.train.inputs.max()) <= 1


@pytest.mark.parametrize(
    "given, sentence",
    [
        (3, "found int"),
        ("digits.csv", "found str"),
        ((X, np.array(["a"] * 20)), "found numpy <U1"),
        ((X, np.arange(19)), "train has 20 rows of inputs but 19 of targets"),
        (((X, np.arange(20)), (X[:, :2], np.arange(20))), r"validation rows have shape \(2,\), training rows \(3,\)"),
        ((X[:0], np.arange(0)), "train data has no rows"),
    ],
)
def test_anything_else_is_said(given, sentence):
    with pytest.raises(BadInput, match=sentence):
        dataset(given)


def test_data_without_a_fingerprint_gets_one():
    from danlu.data.source import Data, Facts, Tensors

    def rows(value):
        x = torch.zeros(20, 3)
        x[13, 1] = value
        return Data(Tensors(x, torch.zeros(20).long()), Facts("classify", (3,), 2))

    assert dataset(rows(0)).fingerprint == dataset(lambda: rows(0)).fingerprint != ""
    assert dataset(rows(0)).fingerprint != dataset(rows(1)).fingerprint
