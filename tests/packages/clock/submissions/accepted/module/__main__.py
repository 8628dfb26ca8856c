#!/usr/bin/env python3
from display import mirrored, parse

minute = parse(input())
print(next(i for i in range(24 * 60) if mirrored(minute + i)))
