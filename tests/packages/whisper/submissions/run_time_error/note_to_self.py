# Leaves itself a note in a file, but no file gets from the first run to the second.
kind, text = input(), input()
if kind == "send":
    open("note", "w").write(text)
    print("look")
else:
    print(open("note").read())
