#!/usr/bin/env python3
"""Presses the buttons. The number of presses that are allowed is the validator's flag."""
import sys
from pathlib import Path

from display import WrongButton, press


def judge(start, output, allowed):
    """Says why the output is wrong, or nothing."""
    words = output.split()
    if len(words) > 1:
        return "more than one word"
    buttons = words[0] if words else ""
    if len(buttons) > allowed:
        return f"{len(buttons)} buttons, {allowed} are allowed"
    try:
        end = press(start, buttons)
    except WrongButton as error:
        return str(error)
    return None if end == 1 else f"the display shows {end} in the end"


input_file, _, feedback, allowed = sys.argv[1:5]
reason = judge(int(Path(input_file).read_text()), sys.stdin.read(), int(allowed))
if reason:
    (Path(feedback) / "judgemessage.txt").write_text(f"{reason}\n")
sys.exit(43 if reason else 42)
