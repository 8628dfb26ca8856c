#!/usr/bin/env python3
# Finds nothing after 23:32, and asks for the first of no times.
hour, minute = map(int, input().split(":"))
now = hour * 60 + minute
times = (f"{i // 60:02}:{i % 60:02}" for i in range(now, 1440))
print([i for i, text in enumerate(times) if text == text[::-1]][0])
