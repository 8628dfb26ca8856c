#!/usr/bin/env python3
# Takes turns between the lower and the upper half.
n = int(input())
half = (n + 1) // 2
if n in (2, 3):
    print("impossible")
elif n % 2:
    print(*(v for i in range(1, half) for v in (i, half + i)), half, sep="\n")
else:
    print(*(v for i in range(1, half + 1) for v in (half + i, i)), sep="\n")
