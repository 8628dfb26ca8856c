# An ordinary user with a control group of its own runs programs that end in every way.
. "$(dirname "$0")/account"

echo '+memory +pids' > /sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/user.slice
echo '+memory +pids' > /sys/fs/cgroup/user.slice/cgroup.subtree_control
delegate user.slice/judge
echo $$ > /sys/fs/cgroup/user.slice/judge/cgroup.procs

run fine -- /bin/echo hello
run memory --memory 32MiB --cpu-time 20s -- /bin/sh -c 'head -c 100M /dev/zero | tail'
run time --cpu-time 300ms --wall-time 20s -- /bin/sh -c 'while :; do :; done'
run processes --processes 16 --cpu-time 20s -- /bin/sh -c 'bomb() { bomb | bomb & }; bomb; sleep 10'
run traced --sandbox ptrace --cpu-time 20s -- /bin/echo hello
run directory --dir /tmp/home --cpu-time 20s -- /bin/ls /box

as_judge assize run --wall-time 60s -- /bin/sleep 4711 2> /tmp/facts &
until sleeping=$(pgrep --exact sleep); do sleep 0.1; done
echo "ids: $(stat --format '%u %g' "/proc/$sleeping")"
kill "$sleeping"
wait

echo "groups: $(cd /sys/fs/cgroup/user.slice/judge && find . -mindepth 1 -type d | sort | paste -sd ' ')"
# Judging fails on a host with an unfit finding.
as_judge assize doctor --json --languages python3 |
    python3 -c 'import json, sys
for finding in json.load(sys.stdin)["findings"]:
    print(finding["name"] + ":", finding["grade"], finding["detail"])'
cp -r packages/change $home/
as_judge assize judge --json --time-limit 60s $home/change $home/change/submissions/accepted/table.py |
    python3 -c 'import json, sys
print("judged:", json.loads(sys.stdin.readlines()[-1])["verdict"])'
