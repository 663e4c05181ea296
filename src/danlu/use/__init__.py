"""What a person does with a run after training: load, predict, evaluate, sample, read."""
