#!/usr/bin/env python3
"""Writes data/sample and data/secret of this package."""
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"

CASES = {
    "sample/1": 700_000_000,
    "secret/01-middle": 500_000_000,
    "secret/02-beside-middle": 500_000_001,
    "secret/03-smallest": 1,
    "secret/04-largest": 1_000_000_000,
    "secret/05-somewhere": 123_456_789,
    "secret/06-power-of-two": 2**29,
}


def interaction(weight):
    """The dialogue of a binary search, as it is shown in the statement."""
    low, high = 1, 1_000_000_000
    while True:
        guess = (low + high) // 2
        yield f">{guess}"
        if guess == weight:
            yield "<correct"
            return
        yield "<higher" if guess < weight else "<lower"
        low, high = (guess + 1, high) if guess < weight else (low, guess - 1)


for case, weight in CASES.items():
    path = DATA / case
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".in").write_text(f"{weight}\n")
    path.with_suffix(".ans").write_text(f"{weight}\n")
    if case.startswith("sample/"):
        path.with_suffix(".interaction").write_text("\n".join(interaction(weight)) + "\n")
