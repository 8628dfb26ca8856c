/* Writes without end to both streams.
 * expect: killed output */
#include <unistd.h>
int main(void) {
    static char block[65536];
    for (;;) { write(1, block, sizeof block); write(2, block, sizeof block); }
}
