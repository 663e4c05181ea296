"""Sentences of weights that travel: export, import, a start from given weights."""

from __future__ import annotations

from danlu.errors import Sentence
