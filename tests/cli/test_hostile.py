"""Hostile files at the command line: a sentence that names the file and what to do, the documented code, no folder, and no traceback."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from danlu.cli.main import main


def images(folder, **classes):
    for label, files in classes.items():
        (folder / label).mkdir(parents=True)
        for name, content in files.items():
            if isinstance(content, bytes):
                (folder / label / name).write_bytes(content)
            else:
                Image.fromarray(content).save(folder / label / name)
    return folder


PIXELS = np.zeros((8, 8, 3), np.uint8)


def one_class(path):
    (path / "a.csv").write_text("x,y\n" + "".join(f"{n},same\n" for n in range(40)))
    return "tabular", [f"data.path={path / 'a.csv'}", "data.target=y"], "same"


def all_missing(path):
    (path / "a.csv").write_text("x,y\n" + ",\n" * 40)
    return "tabular", [f"data.path={path / 'a.csv'}", "data.target=y"], "y"


def only_the_target(path):
    (path / "a.csv").write_text("x,y\n" + "".join(f",{n % 2}\n" for n in range(40)))
    return "tabular", [f"data.path={path / 'a.csv'}", "data.target=y"], "a.csv"


def twice_the_same_head(path):
    (path / "a.csv").write_text("x,x,y\n1,2,3\n")
    return "tabular", [f"data.path={path / 'a.csv'}", "data.target=y"], "`x` is there twice"


def a_foreign_target_that_is_not_there(path):
    (path / "数据.csv").write_text("特征,目标\n1,2\n", "gb18030")
    return "tabular", [f"data.path={path / '数据.csv'}", "data.target=цель"], "目标"


def half_a_character(path):
    (path / "a.csv").write_bytes("x,y\n1,中".encode()[:-1] + b"\xff\xff\n")
    return "tabular", [f"data.path={path / 'a.csv'}", "data.target=y"], "a.csv"


def a_row_too_long(path):
    (path / "a.csv").write_text("x,y\n1,2\n1,2,3\n")
    return "tabular", [f"data.path={path / 'a.csv'}", "data.target=y"], "a.csv"


def no_parquet(path):
    (path / "a.parquet").write_bytes(b"PAR1 nothing")
    return "tabular", [f"data.path={path / 'a.parquet'}", "data.target=y"], "a.parquet"


def one_image(path):
    return "images", [f"data.path={images(path / 'a', cat={'1.png': PIXELS})}"], "cat"


def a_cut_image(path):
    folder = images(path / "a", cat={"1.png": PIXELS, "2.png": b"\x89PNG nonsense"}, dog={"1.png": PIXELS})
    return "images", [f"data.path={folder}"], "2.png"


def loose_images(path):
    Image.fromarray(PIXELS).save(path / "a.png")
    return "images", [f"data.path={path}"], "a.png"


def zero_bytes(path):
    (path / "a.txt").write_bytes(b"\0" * 5000)
    return "text", [f"data.path={path / 'a.txt'}"], "zero byte"


def no_bytes(path):
    (path / "a.txt").write_bytes(b"")
    return "text", [f"data.path={path / 'a.txt'}"], "a.txt"


def dialogues(path):
    (path / "a.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    return "text", [f"data.path={path / 'a.jsonl'}"], "alpaca"


def dialogues_as_texts(path):
    (path / "a.jsonl").write_text('{"messages": [{"role": "user", "content": "a"}]}\n')
    return "classify-text", [f"data.path={path / 'a.jsonl'}", "data.text=a", "data.target=b"], "messages"


CASES = [one_class, all_missing, only_the_target, twice_the_same_head, a_foreign_target_that_is_not_there, half_a_character, a_row_too_long,
         no_parquet, one_image, a_cut_image, loose_images, zero_bytes, no_bytes, dialogues, dialogues_as_texts]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_refused(case, language, tmp_path, capsys):
    recipe, fields, named = case(tmp_path)
    assert main(["train", recipe, *fields, "--out", str(tmp_path / "run"), "--quiet", "--lang", language]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said and (named in said or language == "zh") and not (tmp_path / "run").exists()
    if language == "zh":
        assert any("\u4e00" <= letter <= "\u9fff" for letter in said)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_looked_at(case, tmp_path, capsys):
    """A first look either tells what is there, or ends with the same kind of sentence."""
    _, fields, _ = case(tmp_path)
    assert main(["look", fields[0], "--lang", "en"]) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x" * 300, "nul\0byte", "half\ud800pair"], ids=["long", "nul", "surrogate"])
@pytest.mark.parametrize("words", [("import", "a.pt", "{}.safetensors"), ("init", "digits", "--out={}"), ("report", "{}"), ("look", "{}")])
def test_a_name_that_no_file_can_have_is_bad_input(tmp_path, monkeypatch, capsys, name, words):
    monkeypatch.chdir(tmp_path)
    torch.save({"w": torch.zeros(2)}, "a.pt")
    assert main([word.format(name) for word in words]) == 2
    assert capsys.readouterr().err.startswith("danlu: ") and [path.name for path in tmp_path.iterdir()] == ["a.pt"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_picture_replaces_a_link(tmp_path):
    from danlu.run import curve, plot

    (tmp_path / "victim").write_text("as it was")
    os.symlink("victim", tmp_path / "a.svg")
    os.symlink("victim", tmp_path / "a.svg.tmp")
    plot.draw({"loss": [[curve.Line("a $b$ caf\udce9", [1, 2], [1.0, 2.0])]]}, tmp_path / "a.svg")
    assert (tmp_path / "victim").read_text() == "as it was" and b"<svg" in (tmp_path / "a.svg").read_bytes()
    assert not (tmp_path / "a.svg").is_symlink() and len(list(tmp_path.iterdir())) == 2
