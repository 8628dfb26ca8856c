/* @EXPECTED_RESULTS@: MEMORY-LIMIT
   Makes room for all places of the world: 128 MiB, and it is used. */
#include <stdlib.h>

int main(void) {
    const size_t size = 128u << 20;
    volatile char* places = malloc(size);
    if (!places) return 1;
    for (size_t at = 0; at < size; at += 4096) places[at] = 'a';
}
