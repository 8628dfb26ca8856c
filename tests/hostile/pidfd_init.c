/* Holds init by descriptor and kills that.
 * expect: exited 0 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    int init = syscall(SYS_pidfd_open, 1, 0);
    syscall(SYS_pidfd_send_signal, init, SIGKILL, 0, 0);
    syscall(SYS_pidfd_send_signal, init, SIGSTOP, 0, 0);
    return 0;
}
