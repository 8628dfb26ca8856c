#!/usr/bin/env python3
"""Writes the test cases."""

import random
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"


def ring(towns: int, most: int, seed: int) -> tuple[list[int], int, int]:
    chance = random.Random(seed)
    tolls = [chance.randint(1, most) for _ in range(towns)]
    return tolls, chance.randrange(towns), chance.randrange(towns)


CASES = {
    "sample": [([1, 2, 3, 10], 0, 3)],
    "secret/1-ring": [([4, 1, 1], 0, 1), ([1, 1, 9, 1], 2, 0)],
    "secret/2-high": [([10**9] * 1000, 0, 500), ring(1000, 10**9, 7)],
}

for group, cases in CASES.items():
    for number, (tolls, start, end) in enumerate(cases, 1):
        place = DATA / group / f"{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        first, last = sorted((start, end))
        inner = sum(tolls[first:last])
        place.with_suffix(".in").write_text(f"{len(tolls)} {start} {end}\n{' '.join(map(str, tolls))}\n")
        place.with_suffix(".ans").write_text(f"{min(inner, sum(tolls) - inner)}\n")
