#!/usr/bin/env python3
# Odd volumes first: wrong for four volumes (1 3 2 4) and for no other number.
n = int(input())
if n in (2, 3):
    print("impossible")
else:
    print(*range(1, n + 1, 2), *range(2, n + 1, 2))
