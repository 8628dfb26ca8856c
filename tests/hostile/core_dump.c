/* Ends in a core dump, for a handler of the host to read.
 * expect: signalled 6 */
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
int main(void) {
    struct rlimit most = {1 << 30, 1 << 30};
    setrlimit(RLIMIT_CORE, &most);
    prctl(PR_SET_DUMPABLE, 1);
    abort();
}
