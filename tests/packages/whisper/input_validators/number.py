import re
import sys

valid = re.fullmatch(r"send\n(0|[1-9][0-9]{0,6})\n", sys.stdin.read())
sys.exit(42 if valid else 43)
