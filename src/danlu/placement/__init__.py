"""Placements: where the model lives, and how its gradient is evaluated there."""

from danlu.find.face import face

__getattr__, __dir__ = face(__name__)
