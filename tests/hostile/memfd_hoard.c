/* Files in memory without a name or a map, sealed against being shrunk.
 * expect: killed memory */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
    static char block[1 << 20] = {1};
    for (;;) {
        int file = memfd_create("x", MFD_ALLOW_SEALING);
        for (int i = 0; i < 8; i++) if (write(file, block, sizeof block) < 0) return 1;
        fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL);
    }
}
