# An ordinary user without what jails need, on control groups of both versions.
. "$(dirname "$0")/account"

hello() {
    run "$1" -- /bin/echo hello
}

for controller in memory pids cpuacct; do
    mkdir -p /tmp/legacy
    mountpoint --quiet /tmp/legacy || mount -t tmpfs tmpfs /tmp/legacy
    mkdir /tmp/legacy/$controller
    mount -t cgroup -o $controller $controller /tmp/legacy/$controller
done
mount --move /sys/fs/cgroup /mnt
mount --move /tmp/legacy /sys/fs/cgroup
hello 'version 1'
mount --move /sys/fs/cgroup /tmp/legacy
mount --move /mnt /sys/fs/cgroup
for controller in memory pids cpuacct; do umount /tmp/legacy/$controller; done

until echo '+memory +pids' > /sys/fs/cgroup/cgroup.subtree_control; do sleep 0.1; done
mkdir /sys/fs/cgroup/session
echo $$ > /sys/fs/cgroup/session/cgroup.procs
hello 'not delegated'

delegate session
: > /etc/subgid
hello 'no range'
echo 'judge:300000:65536' > /etc/subgid
echo 0 > /proc/sys/kernel/unprivileged_userns_clone
hello 'no namespaces'
echo 1 > /proc/sys/kernel/unprivileged_userns_clone
hello mended
