#!/usr/bin/env python3
"""Writes the test cases: in the first batch the lightest come first."""

from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
CASES = [
    [1.5, 2.25],
    [0.5, 0.75, 1.0],
    [1.0, 1.0, 7.5, 8.0],
    [3.0, 1.25, 2.0],
    [number * 7919 % 1009 / 8 for number in range(1, 500)],
]

TESTS.mkdir(exist_ok=True)
for number, weights in enumerate(CASES, 1):
    text = " ".join(map(str, weights))
    (TESTS / f"{number}.in").write_text(f"{len(weights)}\n{text}\n")
    (TESTS / f"{number}.out").write_text(f"{sum(sorted(weights)[:2])}\n")
