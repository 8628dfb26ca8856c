/* Takes pages of the host's pool, which no memory limit counts.
 * expect: exited 0 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
    if (mmap(0, 2 << 20, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED) { puts("mapped"); return 1; }
    if (memfd_create("x", MFD_HUGETLB) >= 0) { puts("a file"); return 1; }
    return 0;
}
