import re
import sys

text = sys.stdin.read()
if not re.fullmatch(r"\d+ \d+ \d+\n\d+( \d+)*\n", text):
    sys.exit(43)
count, start, end, *tolls = map(int, text.split())
valid = 2 <= count == len(tolls) <= {{most_towns}} and max(start, end) < count and 1 <= min(tolls) <= max(tolls) <= 10**9
sys.exit(42 if valid else 43)
