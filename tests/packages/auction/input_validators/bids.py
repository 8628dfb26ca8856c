#!/usr/bin/env python3
"""A count and as many bids, one a line."""
import re
import sys

text = sys.stdin.read()
ok = re.fullmatch(r"(?:[1-9]\d*\n)+", text) is not None
if ok:
    n, *bids = map(int, text.split())
    ok = 1 <= n <= 150_000 and len(bids) == n and max(bids) <= 10**6
sys.exit(42 if ok else 43)
