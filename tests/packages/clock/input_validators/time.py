#!/usr/bin/env python3
"""One line with a time of day."""
import re
import sys

sys.exit(42 if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d\n", sys.stdin.read()) else 43)
