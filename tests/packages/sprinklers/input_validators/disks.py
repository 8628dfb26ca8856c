#!/usr/bin/env python3
"""Two lines of three integers in range."""
import re
import sys

NUMBER = r"(0|-?[1-9]\d*)"
match = re.fullmatch(f"(?:{NUMBER} {NUMBER} {NUMBER}\n)(?:{NUMBER} {NUMBER} {NUMBER}\n)", sys.stdin.read())
ok = match is not None
if ok:
    x1, y1, r1, x2, y2, r2 = map(int, match.groups())
    ok = all(-100 <= value <= 100 for value in (x1, y1, x2, y2)) and 1 <= r1 <= 100 and 1 <= r2 <= 100
sys.exit(42 if ok else 43)
