#!/usr/bin/env python3
"""Writes data/sample and data/secret of this package."""
import random
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"


def bids(seed, count, highest):
    # Only random() is promised to stay the same across versions of Python.
    source = random.Random(seed)
    return [1 + int(source.random() * highest) for _ in range(count)]


CASES = {
    "sample/1": [30, 70, 30, 5],
    "secret/01-single": [1_000_000],
    "secret/02-as-text": [9, 10, 100, 99, 1000],
    "secret/03-few-values": bids(3, 20_000, 9),
    "secret/04-sorted": list(range(2_000, 0, -1)),
    "secret/05-largest": bids(5, 150_000, 1_000_000),
}

for case, values in CASES.items():
    path = DATA / case
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".in").write_text("".join(f"{value}\n" for value in [len(values), *values]))
    path.with_suffix(".ans").write_text("".join(f"{value}\n" for value in sorted(values, reverse=True)))
