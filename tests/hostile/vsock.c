/* A socket to the machine that this one runs on.
 * expect: killed policy socket */
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
    socket(AF_VSOCK, SOCK_STREAM, 0);
    return 0;
}
