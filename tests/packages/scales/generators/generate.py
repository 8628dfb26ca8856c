#!/usr/bin/env python3
"""Writes the tests."""

import random
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
CHANCE = random.Random(1)


def pan(count: int, most: int) -> list[int]:
    return [CHANCE.randint(1, most) for _ in range(count)]


ALL = [
    ([3, 4], [8]),
    ([9], [1, 2, 3]),
    ([5, 5], [10]),
    ([10**9] * 1000, [10**9] * 999),
    (pan(1000, 10**6), pan(900, 10**9)),
    ([1, 2, 3] * 4, [6] * 4),
]

TESTS.mkdir(exist_ok=True)
for number, (left, right) in enumerate(ALL, 1):
    place = TESTS / f"{number:02}"
    place.write_text("".join(f"{len(pan)} {' '.join(map(str, pan))}\n" for pan in (left, right)))
    difference = sum(left) - sum(right)
    answer = "left" if difference > 0 else "right" if difference < 0 else "even"
    place.with_suffix(".a").write_text(f"{answer}\n")
