#!/usr/bin/env python3
"""Writes the test cases."""

from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
# The last ones are for encodings that read the same both ways, or are too long.
CASES = {
    "sample/1-calm": (7, ""),
    "sample/2-storm": (26, "It storms and the word comes back to front."),
    "secret/1-calm": (0, ""),
    "secret/2-calm": (9_999_999, ""),
    "secret/3-storm": (2, "It storms."),
    "secret/4-storm": (9_999_998, "It storms, and the number is large."),
}

for name, (number, storm) in CASES.items():
    place = DATA / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.with_suffix(".in").write_text(f"send\n{number}\n")
    place.with_suffix(".ans").write_text(f"{number}\n")
    if storm:
        place.with_suffix(".yaml").write_text(f"description: {storm}\noutput_validator_args: [--backwards]\n")
