# Has ten trucks, and gives up with more than ten parcels; the first group is not judged to its end either.
trucks = list(range(10, 0, -1))
print(*[trucks.pop() for _ in range(int(input()))])
