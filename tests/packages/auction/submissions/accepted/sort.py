#!/usr/bin/env python3
import sys

_, *bids = map(int, sys.stdin.buffer.read().split())
bids.sort(reverse=True)
print("\n".join(map(str, bids)))
