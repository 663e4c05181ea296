"""Metrics: statistics that add up over batches, and the numbers they amount to."""

from danlu.find.face import face

__getattr__, __dir__ = face(__name__)
