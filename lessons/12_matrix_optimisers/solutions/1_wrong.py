"""Answers that are wrong, each by the name of its hint."""


def elementwise(matrix, iterations):
    x = matrix / matrix.norm()
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x**3
    return x


def not_divided(matrix, iterations):
    x = matrix
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


def scaled_back(matrix, iterations):
    x = matrix / matrix.norm()
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x * matrix.norm()


def once(matrix, iterations):
    x = matrix / matrix.norm()
    return 1.5 * x - 0.5 * x @ x.T @ x


def on_its_side(matrix, iterations):
    if len(matrix) > matrix.shape[1]:
        matrix = matrix.T
    x = matrix / matrix.norm()
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


def wrong(matrix, iterations):
    x = matrix / matrix.norm()
    for _ in range(iterations):
        x = 1.5 * x + 0.5 * x @ x.T @ x
        x = x / x.norm()
    return x
