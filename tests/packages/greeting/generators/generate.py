#!/usr/bin/env python3
"""Writes data/sample and data/secret of this package."""
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"

CASES = {
    "sample/1": "Ada",
    "sample/2": "Ada Lovelace",
    "secret/01-short": "Bo",
    "secret/02-one-word": "Bartholomew",
    "secret/03-mixed-case": "McAllister",
    "secret/04-many-words": "Johanna Maria van der Berg",
    "secret/05-not-ascii": "Zoë Ångström",
    "secret/06-longest": "a" * 29 + " " + "B" * 30,
}

for case, name in CASES.items():
    path = DATA / case
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".in").write_text(f"{name}\n", encoding="utf-8")
    path.with_suffix(".ans").write_text(f"Good evening, {name}!\n", encoding="utf-8")
