/* One file as large as the disk, were there one.
 * expect: killed output */
#include <fcntl.h>
#include <unistd.h>
int main(void) {
    static char block[1 << 20];
    int file = open("/tmp/file", O_CREAT | O_WRONLY, 0600);
    for (;;) write(file, block, sizeof block);
}
