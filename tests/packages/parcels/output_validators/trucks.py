# Weighs the trucks. With --points, more trucks than needed cost points; without, they are wrong.
import sys
from collections import Counter
from decimal import Decimal

input_path, answer_path, feedback, *flags = sys.argv[1:]
options = dict(zip(flags[::2], flags[1::2]))


def end(code, file, text):
    with open(feedback + file, "w") as out:
        out.write(f"{text}\n")
    sys.exit(code)


weights = list(map(int, open(input_path).read().split()))[1:]
fewest = int(open(answer_path).read())
words = sys.stdin.read().split()
if len(words) != len(weights) or not all(word.isdecimal() and len(word) < 5 for word in words):
    end(43, "judgemessage.txt", f"not one truck for each parcel: {len(words)} words")
loads = Counter()
for weight, truck in zip(weights, map(int, words)):
    loads[truck] += weight
if set(loads) != set(range(1, len(loads) + 1)):
    end(43, "judgemessage.txt", f"trucks are not numbered from 1 to {len(loads)}")
truck, load = loads.most_common(1)[0]
if load > int(options["--capacity"]):
    end(43, "judgemessage.txt", f"truck {truck} carries {load} kilograms")
if "--points" in options:
    end(42, "score.txt", round(Decimal(options["--points"]) * fewest / len(loads), 4))
if len(loads) > fewest:
    end(43, "judgemessage.txt", f"{len(loads)} trucks where {fewest} are enough")
sys.exit(42)
