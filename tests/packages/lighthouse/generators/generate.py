#!/usr/bin/env python3
"""Writes the test cases."""

from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
CASES = {"sample": [17], "secret": [1, 512, 677, 1000]}

for group, cases in CASES.items():
    for number, miles in enumerate(cases, 1):
        place = DATA / group / f"{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.with_suffix(".in").write_text(f"find\n{miles}\n")
        place.with_suffix(".ans").write_text("")
