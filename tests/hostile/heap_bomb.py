# Takes memory until there is none, from an interpreter.
# expect: killed memory
# tool: /usr/bin/python3
# run: exec /usr/bin/python3 /tmp/heap_bomb.py
kept = []
while True:
    kept.append(bytearray(b'x' * (1 << 20)))
