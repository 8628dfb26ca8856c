/* Never many processes at once, but ever new ones, each too short to be charged
 * by a clock that only ticks.
 * expect: killed cpu
 * limits: cpu=0.3 */
#include <sys/wait.h>
#include <unistd.h>
int main(void) { for (;;) { if (fork() == 0) _exit(0); wait(0); } }
