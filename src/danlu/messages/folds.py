"""Sentences of cross-validation, intervals, baselines."""

from __future__ import annotations

from danlu.errors import Sentence
