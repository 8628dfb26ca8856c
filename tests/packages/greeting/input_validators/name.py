#!/usr/bin/env python3
"""One line: words of letters, single spaces between them, at most 60 bytes."""
import sys

data = sys.stdin.buffer.read()
text = data.decode("utf-8")
ok = (
    text.endswith("\n")
    and 1 <= len(data) - 1 <= 60
    and all(word.isalpha() for word in text[:-1].split(" "))
)
sys.exit(42 if ok else 43)
