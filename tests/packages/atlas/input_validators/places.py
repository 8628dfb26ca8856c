# Called with its own arguments, then with the submission's, in a directory with the test case's files.
import re
import sys

if len(sys.argv) != 4:
    sys.exit(43)
_, option, longest, prefix = sys.argv
names = open("places.txt").read()
valid = (
    option == "--longest"
    and re.fullmatch(r"[a-z]*", prefix)
    and re.fullmatch(r"([a-z]{1,%s}\n)+" % longest, names)
    and len(set(names.split())) == names.count("\n") <= 100
    and re.fullmatch(r"[1-9][0-9]{0,2}\n", sys.stdin.read())
)
sys.exit(42 if valid else 43)
