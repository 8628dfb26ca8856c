#!/usr/bin/env python3
"""A number for each column: the row of its queen, none attacking another."""
import sys
from pathlib import Path


def reject(why: str) -> None:
    Path(sys.argv[3], "judgemessage.txt").write_text(why + "\n")
    sys.exit(43)


size = int(Path(sys.argv[1]).read_text())
try:
    rows = [int(word) for word in sys.stdin.read(100_000).split()]
except ValueError as error:
    reject(str(error))
if len(rows) != size:
    reject(f"{len(rows)} queens for {size} columns")
if sorted(rows) != list(range(1, size + 1)):
    reject("two queens in a row, or one off the board")
for sign in 1, -1:
    if len({row + sign * column for column, row in enumerate(rows)}) != size:
        reject("two queens on a diagonal")
sys.exit(42)
