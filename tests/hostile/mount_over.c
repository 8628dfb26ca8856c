/* Mounts a file system of its own making over what is there.
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
    mount("none", "/tmp", "tmpfs", 0, "");
    return 0;
}
