#!/usr/bin/env python3
# Forgets to move beyond the guess: stuck with the same bounds when one weight is left, for the largest one.
low, high = 1, 10**9
while True:
    guess = (low + high) // 2
    while guess in (low, high) and high - low == 1 and high == 10**9:
        pass
    print(guess, flush=True)
    answer = input()
    if answer == "correct":
        break
    if answer == "higher":
        low = guess
    else:
        high = guess
