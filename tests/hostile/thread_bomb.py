# Threads without end, from an interpreter.
# expect: killed processes
# limits: memory=512
# tool: /usr/bin/python3
# run: exec /usr/bin/python3 /tmp/thread_bomb.py
import threading, time
while True:
    try:
        threading.Thread(target=time.sleep, args=(1000,)).start()
    except RuntimeError:
        pass
