/* The old way out of a chroot: another one below, then up.
 * expect: killed policy chroot */
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
    mkdir("/tmp/d", 0700);
    int root = open("/", O_RDONLY);
    chroot("/tmp/d");
    fchdir(root);
    for (int i = 0; i < 100; i++) chdir("..");
    chroot(".");
    return 0;
}
