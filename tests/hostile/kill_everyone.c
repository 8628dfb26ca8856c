/* Signals to everybody, to init, to its parent, to its group, to every number.
 * expect: exited 0 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    for (int s = 1; s < 32; s++) {
        if (s == SIGCHLD || s == SIGURG || s == SIGWINCH || s == SIGCONT) continue;
        kill(1, s);
        kill(getppid(), s);
        kill(-1, s == SIGKILL ? SIGKILL : 0);
    }
    for (int pid = 3; pid < 5000; pid++)
        if (kill(pid, SIGKILL) == 0) { printf("killed %d\n", pid); return 1; }
    return 0;
}
