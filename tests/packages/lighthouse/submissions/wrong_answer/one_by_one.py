# Asks for every mile: more than ten questions.
words = input().split()
for miles in range(1, 1001):
    print("ask", miles, flush=True)
    if input() == "there":
        break
print("note aaa")
