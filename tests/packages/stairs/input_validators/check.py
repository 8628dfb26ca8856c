import re
import sys

text = sys.stdin.read()
valid = re.fullmatch(r"[1-9][0-9]{0,5}\n", text) and int(text) <= 100_000
sys.exit(42 if valid else 43)
