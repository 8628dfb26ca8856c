/* Counts what others do on the same core.
 * expect: killed policy perf_event_open */
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
    syscall(SYS_perf_event_open, 0, -1, 0, -1, 0);
    return 0;
}
