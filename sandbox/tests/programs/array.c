/* Has a static array of a gibibyte and uses as much of it as its last argument says. */
#include <stdlib.h>
#include <sys/mman.h>

static char array[1 << 30] __attribute__((aligned(4096)));

int main(int argc, char **argv) {
    size_t size = strtoull(argv[argc - 1], NULL, 10);
    /* A huge page would be more than is asked for. */
    madvise(array, sizeof array, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < size; i += 4096) ((volatile char *)array)[i] = 1;
    return 0;
}
