# @EXPECTED_RESULTS@: ACCEPTED
# @EXPECTED_SCORE@: 40
# A truck for each parcel: nothing for the first group, half of what the others give.
print(*range(1, int(input()) + 1))
