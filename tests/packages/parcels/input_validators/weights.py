import re
import sys

most = int(sys.argv[sys.argv.index("--most") + 1])
text = sys.stdin.read()
if not re.fullmatch(r"[1-9][0-9]*\n[1-9][0-9]?( [1-9][0-9]?)*\n", text):
    sys.exit(43)
count, *weights = map(int, text.split())
sys.exit(42 if count == len(weights) <= most else 43)
