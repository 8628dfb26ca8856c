#!/usr/bin/env python3
"""Writes data/sample, data/secret and the tests of the validators of this package."""
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"

CASES = {
    "sample/1": 5,
    "sample/2": 3,
    "secret/01-one": 1,
    "secret/02-two": 2,
    "secret/03-four": 4,
    "secret/04-six": 6,
    "secret/05-seven": 7,
    "secret/06-hundred": 100,
    "secret/07-odd": 1999,
    "secret/08-largest": 2000,
}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def arrangement(n):
    if n in (2, 3):
        return "impossible"
    return " ".join(map(str, [*range(2, n + 1, 2), *range(1, n + 1, 2)]))


for case, n in CASES.items():
    write(DATA / f"{case}.in", f"{n}\n")
    write(DATA / f"{case}.ans", f"{arrangement(n)}\n")

for name, text in {"zero": "0", "too-many": "2001", "two-numbers": "4 4", "leading-zero": "04"}.items():
    write(DATA / f"invalid_input/{name}.in", f"{text}\n")

for kind, name, n, output in [
    ("valid", "other-order", 5, "3 1 4 2 5"),
    ("valid", "one-per-line", 4, "3\n1\n4\n2"),
    ("invalid", "neighbours", 5, "1 3 5 4 2"),
    ("invalid", "twice", 5, "2 4 1 4 2"),
    ("invalid", "missing", 5, "2 4 1 3"),
    ("invalid", "too-many", 5, "2 4 1 3 5 1"),
    ("invalid", "gives-up", 5, "impossible"),
    ("invalid", "empty", 5, ""),
    ("invalid", "not-a-number", 5, "2 4 one 3 5"),
]:
    stem = DATA / f"{kind}_output/{name}"
    write(stem.with_suffix(".in"), f"{n}\n")
    write(stem.with_suffix(".ans"), f"{arrangement(n)}\n")
    write(stem.with_suffix(".out"), f"{output}\n" if output else "")
