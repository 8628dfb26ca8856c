# Uses two of the three letters, and so mixes up ships that are 676 miles apart.
words = input().split()
if words[0] == "find":
    low, high = 1, 1000
    while low < high:
        middle = (low + high) // 2
        print("ask", middle, flush=True)
        if input() == "farther":
            low = middle + 1
        else:
            high = middle
    print("note a" + chr(97 + low // 26 % 26) + chr(97 + low % 26))
else:
    print((ord(words[1][1]) - 97) * 26 + ord(words[1][2]) - 97)
