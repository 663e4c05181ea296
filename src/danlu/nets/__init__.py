"""Models: each file holds the module and the description that builds it from the facts about the data. No training code."""
