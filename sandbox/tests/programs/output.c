/* Writes to a descriptor or a file, as many bytes as its arguments say, or makes a file as large in another way. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int grow(const char *way, long size) {
    int file = open("/tmp/file", O_CREAT | O_RDWR, 0600);
    if (!strcmp(way, "seek")) return pwrite(file, "x", 1, size - 1) != 1;
    if (!strcmp(way, "allocate")) return fallocate(file, 0, 0, size) != 0;
    if (ftruncate(file, size)) return 1;
    if (!strcmp(way, "truncate")) return 0;
    memset(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), 'x', size);
    return 0;
}

int main(int argc, char **argv) {
    static char block[65536];
    if (argc > 3 && strcmp(argv[3], "stubborn")) return grow(argv[3], atol(argv[2]));
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
