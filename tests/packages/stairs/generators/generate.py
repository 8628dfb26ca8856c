#!/usr/bin/env python3
"""Writes the test cases."""

from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
MODULUS = 1_000_000_007
CASES = {
    "sample": [3],
    "secret/1-small": [1, 2, 5, 20],
    "secret/2-large": [44, 1_000, 99_999, 100_000],
}


def ways(steps: int) -> int:
    one, two = 1, 1
    for _ in range(steps - 1):
        one, two = two, (one + two) % MODULUS
    return two


for group, cases in CASES.items():
    for number, steps in enumerate(cases, 1):
        place = DATA / group / f"{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.with_suffix(".in").write_text(f"{steps}\n")
        place.with_suffix(".ans").write_text(f"{ways(steps)}\n")
