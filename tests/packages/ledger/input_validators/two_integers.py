#!/usr/bin/env python3
"""One line with two integers in range, without leading zeros."""
import re
import sys

LIMIT = 4 * 10**18

match = re.fullmatch(r"(0|-?[1-9]\d*) (0|-?[1-9]\d*)\n", sys.stdin.read())
ok = match and all(-LIMIT <= int(word) <= LIMIT for word in match.groups())
sys.exit(42 if ok else 43)
