#!/usr/bin/env python3
"""Writes the test cases; any peaceful board is right, the answers are some."""

from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"


def board(size: int) -> list[int]:
    """Pauls' boards: knight's moves, for sizes that are no 2 or 3 more than a multiple of 6."""
    return list(range(2, size + 1, 2)) + list(range(1, size + 1, 2))


for name, size in {"sample/small": 4, "secret/chess": 10, "secret/large": 1000}.items():
    place = DATA / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.with_suffix(".in").write_text(f"{size}\n")
    place.with_suffix(".ans").write_text(" ".join(map(str, board(size))) + "\n")
