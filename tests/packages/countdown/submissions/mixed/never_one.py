#!/usr/bin/env python3
# @EXPECTED_RESULTS@: OUTPUT-LIMIT
# Looks whether it has arrived only after a press: passes by one when it begins there, and halves zero for ever.
n = int(input())
while True:
    print("DH" if n % 2 else "H", end="")
    n //= 2
    if n == 1:
        break
print()
