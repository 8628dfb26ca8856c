_, *left = map(int, input().split())
_, *right = map(int, input().split())
difference = sum(left) - sum(right)
print("left" if difference > 0 else "right" if difference < 0 else "even")
