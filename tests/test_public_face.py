"""What `import danlu` shows: a sorted list of names, nothing else, at once and without torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

import danlu
from danlu import find


def fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_sorted_and_whole() -> None:
    assert danlu.__all__ == sorted(danlu.__all__)
    assert len(set(danlu.__all__)) == len(danlu.__all__)
    assert all(getattr(danlu, name) is not None for name in danlu.__all__)
    assert dir(danlu) == danlu.__all__


def test_nothing_leaks() -> None:
    assert fresh("import danlu; print([n for n in vars(danlu) if not n.startswith('_')])") == "[]"
    code = "import danlu, types; from danlu import *; print([n for n, v in vars(danlu).items() if not n.startswith('_') "
    assert fresh(code + "and n not in danlu.__all__ and not isinstance(v, types.ModuleType)])") == "[]"


def test_import_is_quick_and_without_torch() -> None:
    code = "import time, sys; t = time.perf_counter(); import danlu; print(time.perf_counter() - t < 0.1, 'torch' in sys.modules)"
    assert fresh(code) == "True False"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        danlu.nothing_of_that_name  # noqa: B018
    with pytest.raises(AttributeError, match="AdamX"):
        danlu.optim.AdamX  # noqa: B018


@pytest.mark.parametrize("kind", [kind for kind in find.FOLDERS if kind != "recipe"])
def test_every_found_class_is_an_attribute_of_its_folder(kind: str) -> None:
    package = getattr(danlu, find.FOLDERS[kind])
    for found in find.catalogue(kind, others=False):
        assert getattr(package, found.attribute) is found.load()
        assert found.attribute in dir(package)


def test_train_from_python(tmp_path) -> None:
    recipe = danlu.Recipe(model=danlu.nets.MLP(hidden=(4,)), data=danlu.data.Wine(), steps=2)
    assert danlu.train(recipe, tmp_path / "run").step == 2
