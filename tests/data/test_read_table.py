"""Tables in files against pandas and Python's csv writer: encodings, delimiters, and what is wrong named by line and field."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.data.read_table import open_table, read_table
from danlu.errors import BadInput

TEXT = '名字,价格,备注\n张三,12.5,好\n李四,7,"两行\n文字"\n'
COLUMNS = {"名字": ["张三", "李四"], "价格": ["12.5", "7"], "备注": ["好", "两行\n文字"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(tmp_path, encoding):
    path = tmp_path / "数据.csv"
    path.write_bytes(TEXT.encode(encoding))
    assert read_table(path) == COLUMNS


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters(tmp_path, delimiter, end):
    path = tmp_path / "t.txt"
    path.write_bytes(end.join([f"a{delimiter}b", f"1{delimiter}x y", "", f"2{delimiter}z", ""]).encode())
    assert read_table(path) == {"a": ["1", "2"], "b": ["x y", "z"]}


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6).map(str.strip)


@given(st.lists(st.tuples(CELL, CELL.filter(bool)), min_size=1, max_size=20))
def test_what_csv_writes_is_read(tmp_path_factory, rows):
    out = io.StringIO()
    csv.writer(out).writerows([("a", "b"), *rows])
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_text(out.getvalue(), "utf-8", newline="")
    assert read_table(path) == {"a": [a for a, _ in rows], "b": [b for _, b in rows]}


def test_parquet_that_would_grow(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    zeros = pyarrow.array(np.zeros(20_000_000, np.int8))
    pyarrow.parquet.write_table(pyarrow.table({"a": zeros, "b": zeros}), tmp_path / "t.parquet")
    with pytest.raises(BadInput, match="20000000 rows of 2 columns"):
        read_table(tmp_path / "t.parquet")


def test_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"n": [1.5, None], "s": ["甲", None], "d": pandas.to_datetime(["2020-01-02", "2021-03-04"])})
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet") == {
        "n": ["1.5", ""], "s": ["甲", ""], "d": ["2020-01-02T00:00:00", "2021-03-04T00:00:00"],
    }  # fmt: skip


def test_chunks_are_the_whole(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{n},{n * n}\n\n" for n in range(100)))
    chunks = list(open_table(path).chunks(values=14))
    assert len(chunks) > 5
    assert [value for chunk in chunks for value in chunk["b"]] == read_table(path)["b"] == [str(n * n) for n in range(100)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"a,b\n", "no rows"),
        (b"a,b,a\n1,2,3\n", "`a` is there twice"),
        (b"a,b\n1,2\n3\n", "line 3: 1 fields, expected 2; there is nothing for `b`"),
        (b'a,b\n"1\n1",2\n3,4,5\n', "line 4: 3 fields, expected 2; `5`"),
        (b"a,b\n1,\xff\xff\n", "line 2: the byte 0xff"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, said):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said) as caught:
        read_table(path)
    assert "bad.csv" in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(BadInput, match="there is no file"):
        open_table(tmp_path / "none.csv")
