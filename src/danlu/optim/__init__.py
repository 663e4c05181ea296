"""Optimisers and learning-rate schedules as descriptions, and the parameter groups that optimisers work on."""

from danlu.find.face import face

__getattr__, __dir__ = face(__name__)
