# Ends in the oddest ways in children, and then itself with a code that is not one.
# expect: exited 255
# limits: memory=256
# tool: /usr/bin/python3
# run: exec /usr/bin/python3 /tmp/exit_codes.py
import os, signal
for way in range(1, 65):
    if os.fork() == 0:
        try:
            os.kill(os.getpid(), way)
        except OSError:
            pass
        os._exit(way)
    os.waitpid(-1, os.WUNTRACED)
os._exit(-1)
