#!/usr/bin/env python3
"""Writes data/sample and data/secret of this package."""
import random
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"


def ribbon(seed, length, colours):
    # Only random() is promised to stay the same across versions of Python.
    source = random.Random(seed)
    return "".join(chr(ord("a") + int(source.random() * colours)) for _ in range(length))


CASES = {
    "sample/1": ("abcbdab", "bdcaba"),
    "sample/2": ("red", "blu"),
    "secret/01-one-bead": ("x", "x"),
    "secret/02-no-substring": ("abababab", "bbaabbaa"),
    "secret/03-reversed": ("abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba"),
    "secret/04-small-random": (ribbon(41, 300, 3), ribbon(42, 200, 3)),
    "secret/05-largest": (ribbon(51, 5000, 4), ribbon(52, 5000, 4)),
    "secret/06-one-colour": ("q" * 5000, "q" * 4999),
}


def longest(first, second):
    """The length of the longest common subsequence, by bits: a set bit is a place where the row rises by one."""
    places = {}
    for i, bead in enumerate(first):
        places[bead] = places.get(bead, 0) | 1 << i
    row = 0
    for bead in second:
        either = row | places.get(bead, 0)
        row = either & ~(either - (row << 1 | 1))
    return bin(row).count("1")


for case, (first, second) in CASES.items():
    path = DATA / case
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".in").write_text(f"{first}\n{second}\n")
    path.with_suffix(".ans").write_text(f"{longest(first, second)}\n")
