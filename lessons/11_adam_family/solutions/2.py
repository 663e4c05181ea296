"""As much is to be left: (1 - new_lr * x) ** new_steps = (1 - lr * decay) ** steps."""


def same_decay(lr: float, decay: float, steps: int, new_lr: float, new_steps: int) -> float:
    return (1 - (1 - lr * decay) ** (steps / new_steps)) / new_lr
