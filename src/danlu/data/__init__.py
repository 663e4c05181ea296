"""Data: where files are found, what rows are made of them, how they are split, checked and fetched."""

from danlu.find.face import face

__getattr__, __dir__ = face(__name__)
