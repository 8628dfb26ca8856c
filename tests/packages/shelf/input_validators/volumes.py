#!/usr/bin/env python3
"""One line with an integer from 1 to 2000."""
import re
import sys

text = sys.stdin.read()
ok = re.fullmatch(r"[1-9]\d{0,3}\n", text) and int(text) <= 2000
sys.exit(42 if ok else 43)
