# Counts the weights and does not weigh them: right in the sample only by chance.
left, right = (int(input().split()[0]) for _ in range(2))
print("right" if left >= right else "left")
