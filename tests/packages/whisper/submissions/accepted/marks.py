# The word begins with a and ends with b, with five letters to the base of 26 between.
kind, text = input(), input()
if kind == "send":
    number, word = int(text), ""
    for _ in range(5):
        number, digit = divmod(number, 26)
        word += chr(97 + digit)
    print("a" + word + "b")
else:
    if text[0] == "b":
        text = text[::-1]
    print(sum((ord(letter) - 97) * 26**place for place, letter in enumerate(text[1:-1])))
