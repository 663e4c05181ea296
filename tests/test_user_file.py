"""`file.py:Name`: loaded once for each content, its text kept, its mistakes said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from danlu.describe import user_file
from danlu.describe.user_file import Named
from danlu.errors import BadInput, speak


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    speak("en")
    yield
    speak(None)


def test_targets() -> None:
    assert user_file.split(r"C:\x\net.py:Net") == (r"C:\x\net.py", "Net")
    assert user_file.is_target("a b/c.py:Name") and user_file.is_target("网.py:网络")
    assert not any(map(user_file.is_target, ["net.py", "net.py:", "net:Net", "net.py:a.b", "net.py:1", "os.system"]))


def test_loading_keeps_the_text_and_follows_a_change(tmp_path: Path) -> None:
    file = tmp_path / "my.py"
    file.write_text("from dataclasses import dataclass\nimport neighbour\n@dataclass\nclass A:\n    x: 'int' = neighbour.VALUE\n")
    (tmp_path / "neighbour.py").write_text("VALUE = 3\n")
    first = user_file.load(f"{file}:A")
    assert first is user_file.load(f"{file}:A") and first().x == 3
    assert user_file.target_of(first) == f"{file}:A" and user_file.target_of(dict) is None
    form = {"model": {f"{file}:A": {"x": 3}}, "techniques": ["clip"]}
    assert user_file.sources(form) == {str(file): file.read_text()}
    assert user_file.sources({"model": "mlp"}) == {}, "what another recipe of this process named is none of this one's"
    file.write_text(file.read_text().replace("neighbour.VALUE", "1234567.VALUE"[:7] + "        "))
    assert user_file.load(f"{file}:A")().x == 1234567, "no stale bytecode, though the size and the second are the same"
    assert "1234567" in user_file.sources([f"{file}:A"])[str(file)]
    assert not (tmp_path / "__pycache__" / "my.cpython-311.pyc").exists()


def test_named_calls_with_its_options(tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text("def f(a, b=1): return a, b\nvalue = 7\n")
    assert Named(f"{tmp_path}/my.py:f")(3) == (3, 1)
    assert Named(f"{tmp_path}/my.py:f", {"b": 5})(3) == (3, 5)
    assert user_file.unwrapped(Named(f"{tmp_path}/my.py:value")) == 7 and user_file.unwrapped(8) == 8


@pytest.mark.parametrize(
    "text, name, said",
    [
        ("x = 1\n1 / 0\n", "x", "my.py:2: the file failed with ZeroDivisionError: division by zero"),
        ("x = 1\ndef (:\n", "x", "my.py:2: the file failed with SyntaxError"),
        ("def f():\n    import no_such_module_here\nf()\n", "x", "my.py:2: the file failed with ModuleNotFoundError"),
        ("class Net: pass\n", "Nte", "has no `Nte`; did you mean `Net`?"),
    ],
)
def test_a_file_with_a_mistake(tmp_path: Path, text: str, name: str, said: str) -> None:
    (tmp_path / "my.py").write_text(text)
    for _ in range(2):
        with pytest.raises(BadInput) as trouble:
            user_file.load(f"{tmp_path}/my.py:{name}")
        assert said in str(trouble.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read .*no\.py"):
        user_file.load(f"{tmp_path}/no.py:Net")


def test_naming_files_imports_no_torch() -> None:
    code = "import sys; from danlu.describe import user_file; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
