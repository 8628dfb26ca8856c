# Says more than the one word.
_, *left = map(int, input().split())
_, *right = map(int, input().split())
print("the", "left" if sum(left) > sum(right) else "right", "one")
