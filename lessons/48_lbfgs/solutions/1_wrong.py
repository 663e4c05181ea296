"""Answers that are wrong, each by the name of its hint."""


def _loops(slope, moves, changes, scale, first, second):
    q, shares = slope.clone(), {}
    for k in first:
        shares[k] = (moves[k] @ q) / (changes[k] @ moves[k])
        q = q - shares[k] * changes[k]
    q = q * scale
    for k in second:
        q = q + (shares[k] - (changes[k] @ q) / (changes[k] @ moves[k])) * moves[k]
    return q


def _gamma(moves, changes, place=-1):
    return moves[place] @ changes[place] / (changes[place] @ changes[place]) if moves else 1.0


def uphill(slope, moves, changes):
    n = len(moves)
    return _loops(slope, moves, changes, _gamma(moves, changes), reversed(range(n)), range(n))


def needs_pairs(slope, moves, changes):
    n = len(moves)
    return -_loops(slope, moves, changes, _gamma(moves, changes) if moves else 0.0, reversed(range(n)), range(n))


def no_scale(slope, moves, changes):
    n = len(moves)
    return -_loops(slope, moves, changes, 1.0, reversed(range(n)), range(n))


def oldest_scale(slope, moves, changes):
    n = len(moves)
    return -_loops(slope, moves, changes, _gamma(moves, changes, 0), reversed(range(n)), range(n))


def wrong_order(slope, moves, changes):
    n = len(moves)
    return -_loops(slope, moves, changes, _gamma(moves, changes), range(n), reversed(range(n)))


def wrong(slope, moves, changes):
    q = slope.clone()
    for s, y in zip(reversed(moves), reversed(changes)):
        q = q - (s @ q) / (y @ s) * y
    return -q * _gamma(moves, changes)
