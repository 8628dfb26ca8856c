# Gives points for a short source. The drivers, which the package brings, do not count.
import os
import sys

language, entry, feedback, option, short = sys.argv[1:]
assert option == "--short" and int(short) == {{short}}
sources = [name for name in os.listdir(".") if name.endswith((".c", ".py")) and name not in ("main.c", "__main__.py")]
length = sum(len(open(name).read()) for name in sources)
with open(feedback + "judgemessage.txt", "w") as out:
    out.write(f"{length} characters of {language}\n")
with open(feedback + "score_multiplier.txt", "w") as out:
    out.write(str(1 if length <= int(short) else 0.5 if length <= 2 * int(short) else 0))
sys.exit(42)
