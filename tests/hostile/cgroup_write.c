/* Mounts the control groups, to lift its own limits.
 * expect: killed policy mount */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    mkdir("/tmp/c", 0700);
    mount("cgroup2", "/tmp/c", "cgroup2", 0, 0);
    return 0;
}
