"""New rows first, then training rows; the gap by itself is no reason."""


def helps(train_error: float, new_error: float, wanted: float) -> str:
    if new_error <= wanted:
        return "done"
    return "bigger" if train_error > wanted else "data"
