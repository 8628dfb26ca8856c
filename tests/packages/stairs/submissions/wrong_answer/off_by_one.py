# Starts one step too low.
one, two = 0, 1
for _ in range(int(input()) - 1):
    one, two = two, (one + two) % 1_000_000_007
print(two)
