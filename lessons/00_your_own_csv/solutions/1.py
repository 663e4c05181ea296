"""A hash of the values, in the order of their names, says where a row lies between 0 and 1."""

import hashlib


def deal(rows: list[dict[str, str]], target: str, share: float) -> list[str]:
    parts = []
    for row in rows:
        text = "\x1f".join(f"{name}={row[name]}" for name in sorted(row) if name != target)
        place = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
        parts.append("test" if place < share else "train")
    return parts
