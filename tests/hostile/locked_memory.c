/* Locks memory, so that the kernel can't take it back.
 * expect: exited 0 */
#include <stdio.h>
#include <sys/mman.h>
int main(void) {
    if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) { puts("locked"); return 1; }
    return 0;
}
