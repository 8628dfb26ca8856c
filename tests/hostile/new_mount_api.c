/* The same by the calls that old filters do not know.
 * expect: killed policy fsopen */
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
    syscall(SYS_fsopen, "proc", 0);
    return 0;
}
