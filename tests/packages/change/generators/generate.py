#!/usr/bin/env python3
"""Writes data/sample and data/secret of this package."""
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
MODULUS = 10**9 + 7

CASES = {
    "sample/1": (5, [1, 2, 5]),
    "sample/2": (11, [4, 6]),
    "secret/01-one-coin": (7, [7]),
    "secret/02-coin-too-large": (3, [100_000, 1]),
    "secret/03-order": (4, [3, 1]),
    "secret/04-unsorted": (30, [10, 1, 5, 2]),
    "secret/05-beyond-32-bits": (2_000, [1, 2, 3, 5, 8, 13, 21, 34]),
    "secret/06-even-coins": (99_999, [200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000]),
    "secret/07-smallest-coins": (100_000, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    "secret/08-largest": (100_000, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]),
}


def ways(amount, coins):
    table = [1] + [0] * amount
    for coin in coins:
        for value in range(coin, amount + 1):
            table[value] = (table[value] + table[value - coin]) % MODULUS
    return table[amount]


for case, (amount, coins) in CASES.items():
    path = DATA / case
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".in").write_text(f"{len(coins)} {amount}\n{' '.join(map(str, coins))}\n")
    path.with_suffix(".ans").write_text(f"{ways(amount, coins)}\n")
