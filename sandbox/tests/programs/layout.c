/* Where everything lies. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void) {
    int here;
    void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("image %p\nstack %p\nheap %p\nmapped %p\nvdso %#lx\n", (void *)main, (void *)&here, sbrk(0), mapped,
           getauxval(AT_SYSINFO_EHDR));
    return 0;
}
