#!/usr/bin/env python3
n = int(input())
while n > 1:
    print("DH" if n % 2 else "H", end="")
    n //= 2
print()
