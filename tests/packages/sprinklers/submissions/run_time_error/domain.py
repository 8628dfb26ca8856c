#!/usr/bin/env python3
# The same mistake as in not_a_number.c: Python's acos raises an exception instead.
from math import acos, hypot, sin

x1, y1, r1 = map(int, input().split())
x2, y2, r2 = map(int, input().split())
d = hypot(x2 - x1, y2 - y1)


def segment(r, s):
    a = acos((d * d + r * r - s * s) / (2 * d * r))
    return r * r * (a - sin(2 * a) / 2)


print(f"{0 if d >= r1 + r2 else segment(r1, r2) + segment(r2, r1):.9f}")
