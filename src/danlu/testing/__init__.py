"""What tests of techniques are made of: `danlu.testing.laws(MyTechnique)` runs the whole battery."""

from danlu.testing.laws import laws

__all__ = ["laws"]
