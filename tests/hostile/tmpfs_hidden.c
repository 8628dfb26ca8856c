/* Fills /tmp by files that have no name any more, and go with the program.
 * expect: exited 2 or killed output */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>
int main(void) {
    static char block[1 << 20];
    for (;;) {
        int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
        if (file < 0) return 1;
        for (int i = 0; i < 8; i++) if (write(file, block, sizeof block) < 0) return 2;
    }
}
