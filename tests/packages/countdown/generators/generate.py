#!/usr/bin/env python3
"""Writes data/sample and data/secret of this package."""
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"

CASES = {
    "sample/1": 10,
    "sample/2": 2,
    "secret/01-small": 7,
    "secret/02-one": 1,
    "secret/03-hundred": 100,
    "secret/04-power": 2**40,
    "secret/05-all-ones": 2**59 - 1,
    "secret/06-largest": 10**18,
}


def buttons(number):
    pressed = ""
    while number > 1:
        pressed += "DH" if number % 2 else "H"
        number //= 2
    return pressed


for case, number in CASES.items():
    path = DATA / case
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".in").write_text(f"{number}\n")
    path.with_suffix(".ans").write_text(f"{buttons(number)}\n")
