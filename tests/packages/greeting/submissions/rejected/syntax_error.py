#!/usr/bin/env python3
# @EXPECTED_RESULTS@: COMPILER-ERROR
print(f"Good evening, {input()}!"
