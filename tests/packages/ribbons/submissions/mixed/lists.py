#!/usr/bin/env python3
# @EXPECTED_RESULTS@: MEMORY-LIMIT
# A list of lists: 8 bytes for each of 25 million numbers, all taken before the first is computed.
a, b = input(), input()
table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
for i, bead in enumerate(a):
    for j, other in enumerate(b):
        table[i + 1][j + 1] = table[i][j] + 1 if bead == other else max(table[i][j + 1], table[i + 1][j])
print(table[len(a)][len(b)])
