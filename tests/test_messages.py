"""Every sentence is there in both languages, with the same placeholders, and somebody says it."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from danlu import messages
from danlu.errors import Sentence

SENTENCES = Path(messages.__file__).parent
SOURCE = SENTENCES.parent
FILES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}


def sentences() -> list[tuple[str, str, str, str]]:
    """(file, line, English, Chinese) of every `Sentence(...)` in the source."""
    found = []
    for path, tree in FILES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in ("Sentence", "errors.Sentence"):
                continue
            if not any(isinstance(part, ast.Constant | ast.JoinedStr) for part in node.args):  # made at run time from names in the data
                continue
            assert len(node.args) == 2, f"{path}:{node.lineno}: write Sentence(en, zh)"
            found.append((path.name, str(node.lineno), *map(ast.literal_eval, node.args)))
    return found


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(("file", "line", "english", "chinese"), sentences(), ids=lambda value: value if len(value) < 30 else "")
def test_both_languages_with_the_same_placeholders(file: str, line: str, english: str, chinese: str) -> None:
    assert english.strip()
    assert chinese.strip()
    assert placeholders(english) == placeholders(chinese)
    assert "" not in placeholders(english)
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in english)


def test_every_sentence_is_said_somewhere() -> None:
    read = {node.attr for tree in FILES.values() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    read |= {alias.name for tree in FILES.values() for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    own = [node for path, tree in FILES.items() if path.parent == SENTENCES for node in ast.walk(tree)]
    read |= {node.id for node in own if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    kept = [name for name, value in vars(messages).items() if isinstance(value, Sentence | dict) and name.isupper()]
    assert [name for name in kept if name not in read] == []


def test_no_name_is_defined_twice() -> None:
    own = [node for path, tree in FILES.items() if path.parent == SENTENCES for node in tree.body]
    assigned = [node for node in own if isinstance(node, ast.Assign)]
    names = [target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)]
    assert sorted(set(names)) == sorted(names)
