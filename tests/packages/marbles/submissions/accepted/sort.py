input()
print(f"{sum(sorted(map(float, input().split()))[:2]):.6f}")
