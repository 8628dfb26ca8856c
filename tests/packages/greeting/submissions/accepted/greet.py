#!/usr/bin/env python3
print(f"Good evening, {input()}!")
