# Root starts jails from every place in the tree of groups that it may find itself in, and is refused where it has to be.
. "$(dirname "$0")/account"
PATH=/tmp/bin:$PATH
groups=/sys/fs/cgroup

# What a command says in a sub-shell that has moved to a group, and where that is in the end.
in_group() {
    local group=$1 name=$2
    shift 2
    mkdir -p "$groups/$group"
    (
        echo $BASHPID > "$groups/$group/cgroup.procs"
        echo "$name: $("$@" 2>&1)"
        echo "$name group: $(cat "/proc/$BASHPID/cgroup")"
    )
}
hello=(assize run --json --cpu-time 20s -- /bin/echo hello)

in_group . plain "${hello[@]}"

# As systemd makes them: groups with processes are leaves, until a service with Delegate=yes makes some of its own.
echo '+memory +pids' > $groups/cgroup.subtree_control
mkdir $groups/system.slice
echo '+memory +pids' > $groups/system.slice/cgroup.subtree_control
in_group system.slice/assize.service service "${hello[@]}"
in_group system.slice/assize.service/assize-host again "${hello[@]}"

# In a container the own group seems to be the root, but may have no processes either.
in_group system.slice/container container unshare --cgroup --mount bash -c '
    umount /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    "$@"' container "${hello[@]}"

mkdir $groups/poor.slice
echo '+memory' > $groups/poor.slice/cgroup.subtree_control
in_group poor.slice/session 'no pids' "${hello[@]}"
echo '-memory +pids' > $groups/poor.slice/cgroup.subtree_control
in_group poor.slice/session 'no memory' "${hello[@]}"

# Two services see nothing of each other's groups; still no two jails have the same users.
for service in first second; do
    in_group system.slice/$service.service $service assize run --cpu-time 20s --wall-time 60s -- /bin/sleep 4712 &
done
until [ "$(pgrep --exact --count sleep)" = 2 ]; do sleep 0.1; done
echo "ids: $(pgrep --exact sleep | xargs -I{} stat --format %u /proc/{} | sort | paste -sd ' ')"
pkill --exact sleep
wait
