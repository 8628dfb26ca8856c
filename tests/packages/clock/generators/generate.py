#!/usr/bin/env python3
"""Writes data/sample and data/secret of this package: many small tests, in the order of the day."""
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
DAY = 24 * 60


def shown(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def wait(minute):
    return next(i for i in range(DAY) if shown((minute + i) % DAY) == shown((minute + i) % DAY)[::-1])


def write(name, minute):
    path = DATA / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".in").write_text(f"{shown(minute)}\n")
    path.with_suffix(".ans").write_text(f"{wait(minute)}\n")


write("sample/1", 12 * 60 + 18)
write("sample/2", 22 * 60 + 22)

# Beside the regular ones: mirrored times, the minutes around them, the long waits, the last minute.
minutes = {*range(5, DAY, 24), 0, 1, 70, 71, 350, 351, 599, 600, 601, 671, 951, 952, 1202, 1412, DAY - 1}
for number, minute in enumerate(sorted(minutes), start=1):
    write(f"secret/{number:02}-{shown(minute).replace(':', '')}", minute)
