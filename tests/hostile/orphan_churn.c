/* A chain of processes, each of which outlives its parent by one fork: no
 * process of it is ever there long enough to be found and killed.
 * expect: exited 0 or killed processes
 * limits: cpu=5 */
#include <unistd.h>
int main(void) {
    if (fork() == 0) for (;;) { if (fork() > 0) _exit(0); setsid(); }
    usleep(20000);
    return 0;
}
