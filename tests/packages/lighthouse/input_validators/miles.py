import re
import sys

text = sys.stdin.read()
valid = re.fullmatch(r"find\n[1-9][0-9]{0,3}\n", text) and int(text.split()[1]) <= 1000
sys.exit(42 if valid else 43)
