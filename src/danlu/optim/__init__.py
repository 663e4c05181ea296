"""Optimisers and learning-rate schedules as descriptions, and the parameter groups that optimisers work on."""
