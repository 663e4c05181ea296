"""Where SAM comes to rest in a valley.

中文：SAM 停在山谷的什么地方。
"""


def resting_distance(rate: float, curvature: float, rho: float) -> float:
    """How far from the bottom of c x**2 / 2 SAM bounces for ever, after very many steps.

    A step is x <- x - rate * c * (x + rho * sign(x)), and rate * curvature is under 1.

    中文：在山谷 c x**2 / 2 里走了极多步之后，SAM 会在离谷底多远的地方来回跳。每一步是
    x <- x - rate * c * (x + rho * sign(x))，rate * curvature 小于 1。
    """
    raise NotImplementedError
