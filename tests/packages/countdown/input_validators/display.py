#!/usr/bin/env python3
"""One line with the number."""
import re
import sys

text = sys.stdin.read()
ok = re.fullmatch(r"[1-9]\d{0,18}\n", text) and int(text) <= 10**18
sys.exit(42 if ok else 43)
