#!/usr/bin/env python3
# The same area in scientific notation, and with the argument of acos clamped instead of cases told apart.
from math import acos, hypot, sin

x1, y1, r1 = map(int, input().split())
x2, y2, r2 = map(int, input().split())
d = max(hypot(x2 - x1, y2 - y1), 1e-12)


def segment(r, s):
    a = acos(max(-1.0, min(1.0, (d * d + r * r - s * s) / (2 * d * r))))
    return r * r * (a - sin(2 * a) / 2)


print(f"{segment(r1, r2) + segment(r2, r1):.12e}")
