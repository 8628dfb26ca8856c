words = input().split()
if words[0] == "find":
    low, high = 1, 1000
    while low < high:
        middle = (low + high) // 2
        print("ask", middle, flush=True)
        answer = input()
        if answer == "farther":
            low = middle + 1
        elif answer == "nearer":
            high = middle - 1
        else:
            low = high = middle
    print("note", "".join(chr(97 + low // 26**place % 26) for place in (2, 1, 0)))
else:
    first, second, third = (ord(letter) - 97 for letter in words[1])
    print(first * 676 + second * 26 + third)
