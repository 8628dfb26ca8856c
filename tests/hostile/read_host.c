/* Opens what a host has that no jail should.
 * expect: exited 0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    const char *files[] = {"/etc/shadow", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/localtime",
        "/etc/machine-id", "/root", "/home", "/var", "/var/lib", "/srv", "/run", "/boot", "/sys", "/sys/kernel",
        "/sys/fs/cgroup", "/mnt", "/opt", "/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/tty", "/dev/ptmx",
        "/dev/shm", "/dev/fuse", "/dev/kvm", "/dev/net/tun", "/dev/loop-control", "/proc/kcore", "/proc/kmsg",
        "/proc/kallsyms", "/proc/meminfo", "/proc/cpuinfo", "/proc/cmdline", "/proc/version", "/proc/modules",
        "/proc/mounts", "/proc/partitions", "/proc/keys", "/proc/key-users", "/proc/sysvipc/shm", "/proc/sys",
        "/proc/sysrq-trigger", "/proc/interrupts", "/proc/loadavg", "/proc/uptime", "/proc/stat", "/proc/timer_list",
        "/proc/1/environ", "/proc/1/root", "/proc/1/cwd", "/proc/1/fd", "/proc/1/maps", "/proc/1/mem", "/proc/1/ns/mnt"};
    int found = 0;
    for (int i = 0; i < sizeof files / sizeof *files; i++)
        if (open(files[i], O_RDONLY) >= 0) { puts(files[i]); found = 1; }
    return found;
}
