"""Numbers worth knowing before a long run, found by trying: the learning rate, the batch, the micro-batch."""
