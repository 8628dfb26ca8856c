/* Uses as much memory as its arguments say, in the way they say. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

/* In small pages: a huge one would be more than is asked for. */
static void touch(char *at, size_t size) {
    char *page = (char *)((uintptr_t)at & -4096);
    madvise(page, size, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < size; i += 4096) ((volatile char *)at)[i] = 1;
}

static char *get(size_t size) {
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int deep(size_t size) {
    volatile char frame[4096];
    frame[0] = 1;
    return size <= 4096 ? frame[0] : frame[0] + deep(size - 4096);
}

static void fill(int file, size_t size) {
    static char block[4096] = {1};
    for (size_t i = 0; i < size; i += sizeof block)
        if (write(file, block, sizeof block) < 0) exit(5);
}

int main(int argc, char **argv) {
    size_t size = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    if (!strcmp(argv[1], "touch")) touch(get(size), size);
    if (!strcmp(argv[1], "heap")) touch(sbrk(size), size);
    if (!strcmp(argv[1], "mapped")) {
        int file = open("/tmp/file", O_CREAT | O_RDWR, 0600);
        if (ftruncate(file, size)) return 6;
        touch(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), size);
    }
    if (!strcmp(argv[1], "reserve")) return get(size) == MAP_FAILED;
    if (!strcmp(argv[1], "shared"))
        touch(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), size);
    if (!strcmp(argv[1], "stack")) return deep(size) == 0;
    if (!strcmp(argv[1], "memfd")) fill(memfd_create("x", 0), size);
    if (!strcmp(argv[1], "file")) fill(open("/tmp/file", O_CREAT | O_WRONLY, 0600), size);
    if (!strcmp(argv[1], "children")) {
        for (int i = 0; i < 4; i++)
            if (fork() == 0) { touch(get(size / 4), size / 4); pause(); }
        wait(NULL);
        pause();
    }
    if (!strcmp(argv[1], "grow"))
        for (;;) touch(get(1 << 20), 1 << 20);
    return 0;
}
