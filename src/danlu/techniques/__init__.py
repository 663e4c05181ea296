"""Techniques, each in the folder of the seam it changes; `danlu list technique` names them."""

from danlu.find.face import face

__getattr__, __dir__ = face(__name__)
