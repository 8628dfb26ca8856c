# Everything into one truck.
print(*[1] * int(input()))
