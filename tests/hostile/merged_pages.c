/* Has its pages merged with equal ones of others, to learn what those are.
 * expect: exited 0 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
int main(void) {
    void *at = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (madvise(at, 1 << 20, 12 /* MADV_MERGEABLE */) == 0) { puts("merged"); return 1; }
    if (prctl(67 /* PR_SET_MEMORY_MERGE */, 1, 0, 0, 0) == 0) { puts("all merged"); return 1; }
    return madvise(at, 1 << 20, MADV_DONTNEED) == 0 ? 0 : 2;
}
