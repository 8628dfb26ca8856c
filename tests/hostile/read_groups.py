# Reads all that /proc shows of each process for a name of the host's.
# expect: exited 0
# limits: memory=256
# tool: /usr/bin/python3
# never: /assize
# run: exec /usr/bin/python3 /tmp/read_groups.py
import os
for process in filter(str.isdigit, os.listdir('/proc')):
    for name in ('cgroup', 'status', 'limits', 'cmdline', 'environ', 'maps', 'mounts', 'mountinfo', 'stat', 'uid_map'):
        try:
            print(open(f'/proc/{process}/{name}').read())
        except OSError:
            pass
