"""Metrics: statistics that add up over batches, and the numbers they amount to."""

from danlu.face import face

__getattr__, __dir__ = face(__name__)
