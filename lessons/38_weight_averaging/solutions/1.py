"""What is left after `times` steps."""


def scaled_decay(decay: float, times: float) -> float:
    return decay**times
