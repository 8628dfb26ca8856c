/* Asks for real-time scheduling, a better priority, another core, more of
 * everything.
 * expect: exited 0 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
int main(void) {
    struct sched_param highest = {50};
    cpu_set_t others;
    CPU_ZERO(&others);
    for (int i = 0; i < 64; i++) CPU_SET(i, &others);
    if (sched_setscheduler(0, SCHED_FIFO, &highest) == 0) { puts("real time"); return 1; }
    if (setpriority(PRIO_PROCESS, 0, -5) == 0) { puts("priority"); return 1; }
    if (sched_setaffinity(0, sizeof others, &others) == 0) { puts("cores"); return 1; }
    for (int what = 0; what < 16; what++) {
        struct rlimit now, more;
        if (getrlimit(what, &now) || now.rlim_max == RLIM_INFINITY) continue;
        more.rlim_cur = more.rlim_max = now.rlim_max + 1;
        if (setrlimit(what, &more) == 0) { printf("limit %d\n", what); return 1; }
    }
    return 0;
}
