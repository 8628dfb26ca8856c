# Takes the heaviest.
input()
print(sum(sorted(map(float, input().split()))[-2:]) + 1)
