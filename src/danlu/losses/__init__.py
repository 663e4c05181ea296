"""Losses: what is minimised, as named sums with their denominators."""

from danlu.find.face import face

__getattr__, __dir__ = face(__name__)
