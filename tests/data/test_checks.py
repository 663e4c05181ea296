"""What is wrong with rows is said with split, row, column and value."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from danlu.data.checks import check_rows, checked
from danlu.data.fingerprint import fingerprint, spread
from danlu.data.images import Images
from danlu.data.source import Data, Facts, Tensors
from danlu.data.text import Windows
from danlu.errors import BadInput

FACTS = Facts("classify", (3,), 4)


def table(rows=12, **changed):
    return Tensors(torch.zeros(rows, 3), torch.arange(rows) % 4)


def broken(rows, part, place, value):
    getattr(rows, part)[place] = value
    return rows


def test_good_rows_pass():
    check_rows(Data(table(), FACTS, val=table(1), test=table(5)), 12)


def test_ignored_labels_pass():
    check_rows(Data(broken(table(), "targets", 3, -100), FACTS), 4)


NAN, INF = float("nan"), float("inf")
NUMBERS, TOKENS, TEXT = Facts("regress", (3,), 1), Facts("classify", (5,), 2, vocab=9), Facts("language", (4,), 50, vocab=50)
MIXED, PICTURES = Facts("classify", (1,), 2, cardinalities=(3, 5)), Facts("classify", (1, 2, 2), 2)
CLASSES = torch.zeros(8).long()
LONG = torch.tensor([1, 2, 3, 60000, 4] * 9, dtype=torch.int32).to(torch.uint16)
CATEGORIES = {"numeric": torch.zeros(8, 1), "category": torch.tensor([[1, 5]] * 8)}
BLACK = torch.zeros(8, 1, 2, 2, dtype=torch.uint8)


@pytest.mark.parametrize(
    "data, sentence",
    [
        (Data(table(0), FACTS), "train data has no rows"),
        (Data(table(), FACTS, val=table(0)), "val data has no rows"),
        (Data(table(3), FACTS), "3 rows, less than one batch of 4"),
        (Data(broken(table(), "inputs", (7, 2), NAN), FACTS), "train `inputs`, row 7, column 2: nan"),
        (Data(table(), FACTS, test=broken(table(), "inputs", (1, 0), -INF)), "test `inputs`, row 1, column 0: -inf"),
        (Data(broken(table(), "inputs", (1, 0), INF), FACTS, preprocess={"columns": ["age"]}), "row 1, column `age`: inf"),
        (Data(broken(table(), "targets", 5, 4), FACTS), r"train targets, row 5: the label 4 is outside 0..3 \(there are 4 classes\)"),
        (Data(broken(table(), "targets", 5, -1), FACTS), "row 5: the label -1"),
        (Data(Tensors(torch.zeros(8, 3), torch.tensor([0.0] * 6 + [NAN, 0])[:, None]), NUMBERS), "train `targets`, row 6"),
        (Data(Tensors(torch.zeros(8, 3), torch.zeros(8, 2)), NUMBERS), "targets have 2 columns, but the data says 1 outputs"),
        (Data(Tensors(torch.full((8, 5), 9), CLASSES), TOKENS), "row 0, column 0: the token id 9 is outside the vocabulary 0..8"),
        (Data(Windows(LONG, 4), TEXT), "train `tokens`, row 3, column 0: the token id 60000"),
        (Data(Tensors(CATEGORIES, CLASSES), MIXED), "row 0, column 1: the category 5 is outside 0..4"),
        (Data(Images(BLACK, CLASSES + 2, (0.0,), (1.0,)), PICTURES), "row 0: the label 2"),
    ],
)
def test_wrong_rows_are_named(data, sentence):
    with pytest.raises(BadInput, match=sentence):
        check_rows(data, 4)


class Lazy:
    """Rows with nothing to show but what is fetched."""

    def __init__(self, bad):
        self.bad = bad

    def __len__(self):
        return 1000

    def fetch(self, ids, epoch):
        return torch.where(ids == self.bad, torch.nan, 0.0)[:, None], torch.zeros(len(ids)).long()


def test_rows_fetched_lazily_are_sampled():
    seen = spread(1000, 256)
    assert (int(seen[0]), int(seen[-1]), len(seen.unique())) == (0, 999, 256)
    with pytest.raises(BadInput, match=f"row {int(seen[100])}, column 0: nan"):
        check_rows(Data(Lazy(int(seen[100])), Facts("classify", (1,), 2)), 4)


def test_large_sums_of_finite_numbers_pass():
    check_rows(Data(Tensors(torch.full((8, 3), 3e38), torch.zeros(8).long()), FACTS), 4)


def test_fingerprint_sees_every_value_type_and_split():
    rows = table()
    same = fingerprint(rows, None)
    assert same == fingerprint(replace(table(), workers=2), None)
    others = [
        fingerprint(rows),
        fingerprint(None, rows),
        fingerprint(broken(table(), "inputs", (11, 2), 1e-30), None),
        fingerprint(broken(table(), "targets", 0, 1), None),
        fingerprint(Tensors({"a": rows.inputs}, rows.targets), None),
        fingerprint(Tensors(rows.inputs.bfloat16(), rows.targets), None),
        fingerprint(Lazy(0), None),
        fingerprint(Lazy(1), None),
    ]
    assert same not in others
    assert len(set(others[:-1])) == len(others) - 1


class Labelled:
    """Lazy rows of three numbers with their own number as a token, but for one."""

    def __init__(self, bad, label=0, token=0):
        self.bad, self.label, self.token = bad, label, token

    def __len__(self):
        return 1000

    def fetch(self, ids, draw):
        at = ids == self.bad
        return torch.where(at, self.token, 1)[:, None], torch.where(at, self.label, ids % 4)


@pytest.mark.parametrize("wrong, said", [({"label": 4}, "row 777: the label 4"), ({"token": 9}, "row 777, column 0: the token id 9")])
def test_what_no_sample_shows_is_found_when_it_is_fetched(wrong, said):
    data = Data(Labelled(777, **wrong), Facts("classify", (1,), 4, vocab=9))
    assert 777 not in spread(1000, 256)
    check_rows(data, 4)
    rows = checked(data).train
    assert rows.fetch(torch.tensor([776, 778]), 0)[1].tolist() == [0, 2]
    with pytest.raises(BadInput, match=said):
        rows.fetch(torch.tensor([5, 777]), 0)
    assert checked(Data(table(), FACTS)).train.__class__ is Tensors
