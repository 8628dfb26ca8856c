#!/usr/bin/env python3
"""Writes the test cases, with the fewest trucks as answers."""

import random
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
CAPACITY = 100


def pairs(count: int, seed: int) -> list[int]:
    """Parcels that fill `count` trucks, two in each."""
    chance = random.Random(seed)
    heavy = [chance.randint(51, 99) for _ in range(count)]
    parcels = heavy + [CAPACITY - weight for weight in heavy]
    chance.shuffle(parcels)
    return parcels


CASES = {
    "sample": [([60, 30, 40], 2)],
    "secret/1-few": [([99], 1), ([50, 50], 1), ([51, 50], 2)],
    "secret/2-some": [(pairs(5, 1), 5), (pairs(20, 2), 20)],
    "secret/3-many": [(pairs(200, 3), 200), (pairs(500, 4), 500)],
}

for group, cases in CASES.items():
    for number, (parcels, trucks) in enumerate(cases, 1):
        place = DATA / group / f"{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.with_suffix(".in").write_text(f"{len(parcels)}\n{' '.join(map(str, parcels))}\n")
        place.with_suffix(".ans").write_text(f"{trucks}\n")
