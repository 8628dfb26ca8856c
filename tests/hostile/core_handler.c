/* Wants no core dumps, so that the kernel does not take it for one that is never given to a
 * handler of the host.
 * expect: signalled 6 */
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
int main(void) {
    struct rlimit now, none = {0, 0};
    int lowered = !setrlimit(RLIMIT_CORE, &none);
    none.rlim_max = 1;
    lowered |= !setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 1);
    if (lowered || getrlimit(RLIMIT_CORE, &now) || now.rlim_cur != 1) return 1;
    abort();
}
