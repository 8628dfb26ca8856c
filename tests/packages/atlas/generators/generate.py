#!/usr/bin/env python3
"""Writes the test cases, each with a file of places and an argument."""

import random
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
STARTS = ["ab", "an", "be", "bre", "lo", "lon", "mar", "ros", "ross", "wey"]
ENDS = ["berg", "by", "don", "ham", "hausen", "ow", "ton", "ville", "wick"]


def places(count: int, seed: int) -> list[str]:
    names = [start + end for start in STARTS for end in ENDS]
    random.Random(seed).shuffle(names)
    return names[:count]


CASES = {
    "sample": [(["london", "abton", "lowick"], "lo", 2)],
    "secret": [
        (places(90, 1), "ros", 18),
        (places(90, 1), "ros", 19),
        (places(40, 2), "", 1),
        (places(1, 3), "x", 1),
        (["aberg", "abton", "abby"], "ab", 1),
    ],
}

for group, cases in CASES.items():
    for number, (names, prefix, nth) in enumerate(cases, 1):
        place = DATA / group / f"{number}"
        files = place.with_suffix(".files")
        files.mkdir(parents=True, exist_ok=True)
        (files / "places.txt").write_text("".join(f"{name}\n" for name in names))
        found = sorted(name for name in names if name.startswith(prefix))
        place.with_suffix(".in").write_text(f"{nth}\n")
        answer = found[nth - 1] if nth <= len(found) else "-"
        place.with_suffix(".ans").write_text(f"{len(found)}\n{answer}\n")
        place.with_suffix(".yaml").write_text(f'args: ["{prefix}"]\ninput_validator_args: ["--longest", "12"]\n')
