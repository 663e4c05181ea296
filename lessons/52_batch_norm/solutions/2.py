"""The gradient is shorter by the factor by which the step must be longer; and rate times decay is a share of the weight, which stays."""


def same_training(rate: float, decay: float, times: float) -> tuple[float, float]:
    return rate * times**2, decay / times**2
