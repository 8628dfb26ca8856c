/* Ends in a core dump of any size, for a handler of the host to read.
 * expect: signalled 6 */
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
int main(void) {
    struct rlimit now, most = {1 << 30, 1 << 30};
    setrlimit(RLIMIT_CORE, &most);
    prctl(PR_SET_DUMPABLE, 1);
    if (getrlimit(RLIMIT_CORE, &now) || now.rlim_cur != 1 || now.rlim_max != 1) return 1;
    abort();
}
