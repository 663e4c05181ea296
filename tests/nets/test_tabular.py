"""TabularNet: the periodic embedding's formula, and tables with one kind of column missing."""

import pytest
import torch

from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.nets.tabular import Periodic, TabularNet

torch.set_num_threads(1)


def test_periodic_is_the_papers_formula():
    """Equations 1 and 2 of Gorishniy et al. 2022: v = 2 pi c x, [cos v, sin v], then one linear layer for all columns and ReLU."""
    layer, x = Periodic(3, 4, 5, 1.0).double(), torch.randn(6, 3, dtype=torch.float64)
    y = layer(x)
    for row in range(6):
        for column in range(3):
            v = 2 * torch.pi * layer.frequencies_NF[column] * x[row, column]
            expected = torch.relu(layer.linear.weight @ torch.cat([v.cos(), v.sin()]) + layer.linear.bias)
            assert torch.allclose(y[row, column], expected)


@pytest.mark.parametrize("embedding", ["periodic", "none"])
@pytest.mark.parametrize("numeric, cardinalities", [(4, ()), (0, (3, 5)), (4, (3, 5, 2))])
def test_tables_of_any_kind(embedding, numeric, cardinalities):
    torch.manual_seed(0)
    model = TabularNet(embedding=embedding)(Facts("classify", (numeric,), 3, cardinalities=cardinalities))
    inputs = {}
    if numeric:
        inputs["numeric"] = torch.randn(16, numeric)
    if cardinalities:
        inputs["category"] = torch.stack([torch.arange(16) % size for size in cardinalities], dim=1)
    y = model(**inputs)
    assert y.shape == (16, 3)
    y.square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())
    model.eval()
    assert torch.allclose(model(**{key: value[3:4] for key, value in inputs.items()}), model(**inputs)[3:4], atol=1e-5)


def test_a_numeric_table_may_come_as_a_tensor():
    model = TabularNet()(Facts("regress", (4,), 1)).eval()
    x = torch.randn(5, 4)
    assert torch.equal(model(x), model(numeric=x))


def test_an_unknown_code_is_an_error_and_not_the_next_columns_first():
    model = TabularNet()(Facts("classify", (0,), 2, cardinalities=(3, 5)))
    with pytest.raises(IndexError):
        model(category=torch.tensor([[3, 0]]))


@pytest.mark.parametrize(
    "model, facts, words",
    [
        (TabularNet(), Facts("classify", (1, 8, 8), 2), "cnn"),
        (TabularNet(), Facts("classify", (8,), 2, vocab=9), "bert"),
        (TabularNet(num_numeric=3), Facts("classify", (4,), 2), "num_numeric"),
        (TabularNet(cardinalities=(2,)), Facts("classify", (4,), 2), "cardinalities"),
        (TabularNet(), Facts("language", (4,), 2), "gpt"),
    ],
)
def test_facts_that_do_not_fit_are_refused_in_a_sentence(model, facts, words):
    with pytest.raises(BadInput, match=words):
        model(facts)
