/* Fills /tmp, takes everything away before anybody could look, and does so again: more
 * than the room there is was never taken.
 * expect: exited 0 or killed output */
#include <fcntl.h>
#include <unistd.h>
int main(void) {
    static char block[1 << 16];
    for (int i = 0; i < 2000; i++) {
        int file = open("/tmp/file", O_CREAT | O_WRONLY, 0600), room = 0;
        while (write(file, block, sizeof block) > 0) room++;
        ftruncate(file, 0);
        close(file);
        unlink("/tmp/file");
        if (room > 17) return 1;
    }
    return 0;
}
