/* Takes a descriptor of init: its way to the supervisor.
 * expect: killed policy pidfd_getfd */
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
    int init = syscall(SYS_pidfd_open, getppid(), 0);
    syscall(SYS_pidfd_getfd, init, 3, 0);
    return 0;
}
