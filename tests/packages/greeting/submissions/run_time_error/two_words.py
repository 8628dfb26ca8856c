#!/usr/bin/env python3
# Expects exactly two words: ValueError for one word and for three.
first, last = input().split()
print(f"Good evening, {first} {last}!")
