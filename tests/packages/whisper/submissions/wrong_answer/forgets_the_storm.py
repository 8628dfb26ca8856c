# Reads the word as it was written, whatever the weather.
kind, text = input(), input()
if kind == "send":
    number = int(text) + 11_881_376  # six letters
    word = ""
    while number:
        number, digit = divmod(number, 26)
        word += chr(97 + digit)
    print(word)
else:
    print(sum((ord(letter) - 97) * 26**place for place, letter in enumerate(text)) - 11_881_376)
