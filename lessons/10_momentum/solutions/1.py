"""Each gradient enters with 1 - dampening and is kept 1 / (1 - momentum) times in all."""


def effective_rate(lr: float, momentum: float, dampening: float) -> float:
    return lr * (1 - dampening) / (1 - momentum)
