/* Attaches to init, which is whoever it was forked from.
 * expect: killed policy ptrace */
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
    ptrace(PTRACE_ATTACH, getppid(), 0, 0);
    return 0;
}
