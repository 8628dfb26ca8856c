#!/usr/bin/env python3
k, n = map(int, input().split())
ways = [1] + [0] * n
for coin in map(int, input().split()):
    for value in range(coin, n + 1):
        ways[value] = (ways[value] + ways[value - coin]) % 1_000_000_007
print(ways[n])
