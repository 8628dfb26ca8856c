# Looks for the file where it is not.
import sys

found = sorted(line.strip() for line in open("/places.txt") if line.startswith(sys.argv[1]))
print(len(found))
