/* Changes the program files that all slots share: through maps, splices and
 * seals of them.
 * expect: exited 0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
    int file = open("/usr/bin/env", O_RDONLY);
    if (mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) != MAP_FAILED) { puts("mapped"); return 1; }
    char *map = mmap(0, 4096, PROT_READ, MAP_SHARED, file, 0);
    if (mprotect(map, 4096, PROT_READ | PROT_WRITE) == 0) { puts("made writable"); return 1; }
    int ends[2];
    pipe(ends);
    splice(file, 0, ends[1], 0, 1, 0);
    write(ends[1], "x", 1); /* Dirty pipe. */
    char start[4];
    if (pread(file, start, 4, 0) != 4 || start[0] != 0x7f || start[1] != 'E') { puts("changed"); return 1; }
    if (open("/proc/self/fd/3", O_RDWR) >= 0 || fchmod(file, 0777) == 0 || ftruncate(file, 0) == 0
        || fallocate(file, 0, 0, 1) == 0 || fcntl(file, F_SETLEASE, F_RDLCK) == 0)
        { puts("by descriptor"); return 1; }
    return 0;
}
