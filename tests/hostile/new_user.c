/* Becomes root in a user namespace of its own.
 * expect: killed policy unshare */
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
    unshare(CLONE_NEWUSER | CLONE_NEWNS);
    return 0;
}
