/* Tries to join and to signal groups and sessions of others.
 * expect: exited 0 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    if (setpgid(0, 1) == 0) { puts("joined init's group"); return 1; }
    if (getsid(1) > 0) printf("session %d of init\n", getsid(1));
    for (int group = 3; group < 2000; group++)
        if (kill(-group, SIGKILL) == 0) { printf("killed group %d\n", group); return 1; }
    return 0;
}
