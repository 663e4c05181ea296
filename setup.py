"""Puts the lessons, which lie beside `src` in a checkout, into the package that is built. Everything else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithLessons(build_py):
    """Copies `lessons/` to `danlu/lessons/` of a build; an editable install finds them where they are."""

    def run(self):
        super().run()
        if not self.editable_mode:
            to = Path(self.build_lib) / "danlu" / "lessons"
            shutil.rmtree(to, ignore_errors=True)
            shutil.copytree(Path(__file__).parent / "lessons", to, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))


setup(cmdclass={"build_py": WithLessons})
