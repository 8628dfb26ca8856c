# The sea: tells the first keeper where the ship is, and the second what the first wrote.
import re
import sys

input_path, _, feedback = sys.argv[1:4]
QUESTIONS = 10


def reject(reason):
    with open(feedback + "judgemessage.txt", "a") as out:
        out.write(reason + "\n")
    sys.exit(43)


def heard():
    return sys.stdin.readline().rstrip("\n")[:50]


words = open(input_path).read().split()
miles = int(words[1])
if words[0] == "tell":
    print("tell", words[2], flush=True)
    if (said := heard()) != str(miles):
        reject(f"the second keeper says {said!r}, the ship is at {miles}")
else:
    print("find", flush=True)
    for asked in range(QUESTIONS + 1):
        said = heard()
        if not (ask := re.fullmatch(r"ask (\d{1,9})", said)):
            break
        if asked == QUESTIONS:
            reject("asks more than ten times")
        guess = int(ask[1])
        print("there" if guess == miles else "nearer" if miles < guess else "farther", flush=True)
    if not (note := re.fullmatch(r"note ([a-z]{3})", said)):
        reject(f"neither a question nor a note: {said!r}")
    with open(feedback + "judgemessage.txt", "a") as out:
        out.write(f"noted {note[1]} after {asked} questions\n")
    with open(feedback + "nextpass.in", "w") as out:
        out.write(f"tell {miles} {note[1]}\n")
if sys.stdin.read():
    reject("says more than it should")
sys.exit(42)
