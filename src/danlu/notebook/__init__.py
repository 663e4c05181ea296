"""Training from a notebook or a script: live modules, anybody's data, and a run that shows itself. `danlu.fit` is the way in."""
