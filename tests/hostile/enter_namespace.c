/* Enters the namespaces of init.
 * expect: killed policy setns */
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
    setns(syscall(SYS_pidfd_open, 1, 0), CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER);
    return 0;
}
