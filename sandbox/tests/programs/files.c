/* Writes files: how, where, how many, of how many bytes each. What the kernel refuses
 * is only told at the end. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char *way = argv[1];
    long count = atol(argv[3]), size = atol(argv[4]);
    char *bytes = malloc(size);
    int refused = 0;
    memset(bytes, 'x', size);
    for (long i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/%ld", argv[2], i);
        int file = open(name, O_CREAT | O_WRONLY, 0600);
        if (!strcmp(way, "sparse"))
            refused |= pwrite(file, bytes, 1, size - 1) != 1;
        else
            refused |= write(file, bytes, size) != size;
        if (!strcmp(way, "remove")) unlink(name);
        close(file);
    }
    if (!strcmp(way, "spin")) for (;;);
    return refused;
}
