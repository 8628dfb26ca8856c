/* A canary, in C and in C++: a tenth of a second or two of one kind of work, the same each time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STEPS = 60000000, BYTES = 128 << 20, PAGE = 4096, CALLS = 600000 };

int main(void) {
    char what[16];
    if (scanf("%15s", what) != 1) return 1;
    if (strcmp(what, "cpu") == 0) {
        unsigned x = 1;
        for (int i = 0; i < STEPS; i++) x = x * 1664525u + 1013904223u + (x >> 16);
        if (x == 0) return 2;
    } else if (strcmp(what, "memory") == 0) {
        volatile char *memory = (volatile char *)malloc(BYTES);
        if (!memory) return 3;
        for (int round = 0; round < 4; round++)
            for (long i = 0; i < BYTES; i += round == 0 ? PAGE : 64) memory[i] = (char)i;
    } else if (strcmp(what, "syscalls") == 0) {
        for (int i = 0; i < CALLS; i++) syscall(SYS_getppid);
    } else {
        return 4;
    }
    puts("done");
    return 0;
}
