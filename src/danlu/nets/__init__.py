"""Models: each file holds the module and the description that builds it from the facts about the data. No training code."""

from danlu.find.face import face

__getattr__, __dir__ = face(__name__)
