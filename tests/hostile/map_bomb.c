/* Maps memory until there is none: private and shared with children by turns, by the
 * call and by touching it.
 * expect: killed memory */
#include <string.h>
#include <sys/mman.h>
int main(void) {
    for (int i = 0;; i++) {
        int flags = MAP_ANONYMOUS | (i % 2 ? MAP_PRIVATE : MAP_SHARED) | (i % 3 ? MAP_POPULATE : 0);
        char *pages = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (pages == MAP_FAILED) return 1;
        memset(pages, 1, 1 << 20);
    }
}
