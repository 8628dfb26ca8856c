# Waits for a lock that it holds itself.
# expect: killed wall
# limits: wall=0.5 memory=256
# tool: /usr/bin/python3
# run: exec /usr/bin/python3 /tmp/deadlock.py
import threading
lock = threading.Lock()
lock.acquire()
lock.acquire()
