"""How far a figure can be trusted: intervals, baselines, and folds."""
