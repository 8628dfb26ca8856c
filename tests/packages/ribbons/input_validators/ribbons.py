#!/usr/bin/env python3
"""Two lines of lower-case letters."""
import re
import sys

sys.exit(42 if re.fullmatch(r"(?:[a-z]{1,5000}\n){2}", sys.stdin.read()) else 43)
