/* Page tables: one page touched in each two megabytes of a huge map.
 * expect: killed memory
 * limits: memory=32 */
#include <sys/mman.h>
int main(void) {
    char *map = mmap(0, 1UL << 40, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) return 1;
    madvise(map, 1UL << 40, 15 /* MADV_NOHUGEPAGE */);
    for (unsigned long at = 0; at < 1UL << 40; at += 2 << 20) ((volatile char *)map)[at] = 1;
    return 0;
}
