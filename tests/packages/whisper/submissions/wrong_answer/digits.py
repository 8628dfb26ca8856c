# Sends the number as it is.
input()
print(input())
