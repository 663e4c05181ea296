"""What a run keeps of its data is read back, or refused with the file's name: by whoever and however it was written."""

import json

import pytest

from danlu.errors import BadInput
from danlu.run import preprocess

FACTS = {"task": "classify", "shape": [3], "outputs": 2}


def put(folder, found):
    (folder / preprocess.FILE).write_text(json.dumps(found))


def test_read(tmp_path):
    put(tmp_path, {"format": 1, "preprocess": {"kind": "arrays"}, "facts": {**FACTS, "of a newer danlu": 1}})
    form, facts = preprocess.read(tmp_path)
    assert form == {"kind": "arrays"} and facts.shape == (3,)


@pytest.mark.parametrize(
    "found",
    [[], 3, {"format": 2}, {"format": 1}, {"format": 1, "facts": FACTS}, {"format": 1, "preprocess": {}, "facts": []},
     {"format": 1, "preprocess": {}, "facts": {"task": "classify"}}],
)  # fmt: skip
def test_refused(tmp_path, found):
    put(tmp_path, found)
    with pytest.raises(BadInput, match=r"preprocess\.json"):
        preprocess.read(tmp_path)
