import sys

found = sorted(line.strip() for line in open("places.txt") if line.startswith(sys.argv[1]))
nth = int(input())
print(len(found))
print(found[nth - 1] if nth <= len(found) else "-")
