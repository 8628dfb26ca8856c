# Carries the word to the second pass, where the number must come out.
import re
import sys

input_path, answer_path, feedback = sys.argv[1:4]


def say(file, text):
    with open(feedback + file, "w") as out:
        out.write(text + "\n")


def reject(to_jury, to_team):
    say("judgemessage.txt", to_jury)
    say("teammessage.txt", to_team)
    sys.exit(43)


kind = open(input_path).readline().strip()
said = sys.stdin.read().split()
if len(said) != 1:
    reject(f"{kind}: {len(said)} words", "Print one word.")
[word] = said
if kind == "receive":
    number = open(answer_path).read().strip()
    if word != number:
        reject(f"receive: {word[:20]} for {number}", "That was not the number.")
    sys.exit(42)
if not re.fullmatch("[a-z]{1,7}", word):
    reject(f"send: {word[:20]} is no word", "The messenger knows words of one to seven letters, a to z.")
say("judgemessage.txt", f"carried {word}")
heard = word[::-1] if "--backwards" in sys.argv[4:] else word
say("nextpass.in", f"receive\n{heard}")
sys.exit(42)
