"""Sentences of `danlu.fit`: an own module, foreign loaders."""

from __future__ import annotations

from danlu.errors import Sentence
