/* Wants to inherit orphans in init's place, and leaves zombies unreaped.
 * expect: exited 0 */
#include <sys/prctl.h>
#include <unistd.h>
int main(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int i = 0; i < 10; i++)
        if (fork() == 0) { fork(); _exit(0); }
    return 0;
}
