#!/usr/bin/env python3
# Right by recursion with a memory, but deeper than Python allows.
from functools import lru_cache

k, n = map(int, input().split())
coins = tuple(map(int, input().split()))


@lru_cache(maxsize=None)
def ways(kinds, amount):
    if amount <= 0 or kinds == 0:
        return int(amount == 0)
    return (ways(kinds - 1, amount) + ways(kinds, amount - coins[kinds - 1])) % 1_000_000_007


print(ways(k, n))
