#!/usr/bin/env python3
# A row of the table as one large number: a bit for every place where it rises.
a, b = input(), input()
places = {}
for i, bead in enumerate(a):
    places[bead] = places.get(bead, 0) | 1 << i
row = 0
for bead in b:
    either = row | places.get(bead, 0)
    row = either & ~(either - (row << 1 | 1))
print(bin(row).count("1"))
