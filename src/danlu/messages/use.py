"""Sentences of what comes after training: load, evaluate, predict, sample."""

from __future__ import annotations

from danlu.errors import Sentence
