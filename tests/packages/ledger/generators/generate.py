#!/usr/bin/env python3
"""Writes data/sample and data/secret of this package."""
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
LIMIT = 4 * 10**18

CASES = {
    "sample/1": (30, 12),
    "sample/2": (-100, 58),
    "secret/01-zeros": (0, 0),
    "secret/02-cancel": (-123456789, 123456789),
    "secret/03-int-overflow": (2**31 - 1, 1),
    "secret/04-beyond-double": (2**53, 1),
    "secret/05-largest": (LIMIT, LIMIT),
    "secret/06-smallest": (-LIMIT, -LIMIT),
    "secret/07-odd": (1234567890123456789, -987654321098765432),
}

for case, (a, b) in CASES.items():
    path = DATA / case
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".in").write_text(f"{a} {b}\n")
    path.with_suffix(".ans").write_text(f"{a + b}\n")
