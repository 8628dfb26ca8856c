/* Opens a file by number, past every path (the shocker of old containers).
 * expect: killed policy open_by_handle_at */
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
    syscall(SYS_open_by_handle_at, 0, 0, 0);
    return 0;
}
