#!/usr/bin/env python3
"""Writes data/sample and data/secret of this package."""
import math
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"

CASES = {
    "sample/1": (0, 0, 2, 3, 0, 2),
    "sample/2": (0, 0, 1, 5, 5, 1),
    "secret/01-same-disk": (7, -3, 5, 7, -3, 5),
    "secret/02-touching-outside": (0, 0, 3, 5, 0, 2),
    "secret/03-equal-radii": (-10, 4, 25, 12, 13, 25),
    "secret/04-large": (-60, -60, 100, 60, 60, 100),
    "secret/05-thin-lens": (0, 0, 100, 99, 99, 41),
    "secret/06-centre-inside": (0, 0, 90, 30, 40, 60),
    "secret/07-small-in-large": (0, 0, 100, 10, 10, 20),
    "secret/08-touching-inside": (0, 0, 100, 30, 40, 50),
    "secret/09-far-apart": (-100, -100, 1, 100, 100, 1),
}


def overlap(x1, y1, r1, x2, y2, r2):
    distance = math.hypot(x2 - x1, y2 - y1)
    if distance >= r1 + r2:
        return 0.0
    if distance <= abs(r1 - r2):
        return math.pi * min(r1, r2) ** 2
    # The lens is two circular segments, each a sector without its triangle.
    area = 0.0
    for r, s in ((r1, r2), (r2, r1)):
        half_angle = math.acos((distance**2 + r**2 - s**2) / (2 * distance * r))
        area += r**2 * (half_angle - math.sin(2 * half_angle) / 2)
    return area


for case, numbers in CASES.items():
    path = DATA / case
    path.parent.mkdir(parents=True, exist_ok=True)
    first, second = numbers[:3], numbers[3:]
    path.with_suffix(".in").write_text("{} {} {}\n{} {} {}\n".format(*first, *second))
    path.with_suffix(".ans").write_text(f"{overlap(*numbers):.9f}\n")
