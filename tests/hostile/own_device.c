/* Makes the disk of the host as a device file.
 * expect: killed policy mknodat */
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
    mknod("/tmp/disk", S_IFBLK | 0666, 8 << 8);
    return 0;
}
