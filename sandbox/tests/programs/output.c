/* Writes to a descriptor or a file, as many bytes as its arguments say. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char block[65536];
    memset(block, 'x', sizeof block);
    int to = argv[1][0] == '/' ? open(argv[1], O_CREAT | O_WRONLY, 0600) : atoi(argv[1]);
    long left = atol(argv[2]);
    if (argc > 3) signal(SIGXFSZ, SIG_IGN);
    while (left > 0) {
        ssize_t written = write(to, block, left < sizeof block ? left : sizeof block);
        if (written < 0) return 7;
        left -= written;
    }
    return 0;
}
