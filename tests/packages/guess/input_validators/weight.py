#!/usr/bin/env python3
"""One line with the weight."""
import re
import sys

text = sys.stdin.read()
ok = re.fullmatch(r"[1-9]\d{0,9}\n", text) and int(text) <= 10**9
sys.exit(42 if ok else 43)
