/* Changes what it may not write by /proc/self/mem and kernel settings by /proc/self. It
 * may do the first, to itself alone; the rest must fail.
 * expect: exited 0
 * never: changed a file */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static const volatile char constant[] = "before";
static int wrote(const char *file, const char *text) {
    int fd = open(file, O_WRONLY);
    return fd >= 0 && write(fd, text, 2) > 0 && puts(file);
}
/* A constant, and a page of a file of the system's that others map as well: the page must
 * become the program's own. */
static int change_memory(void) {
    int fd = open("/proc/self/mem", O_RDWR);
    if (fd < 0) return 0;
    if (pwrite(fd, "after!", 6, (off_t)(uintptr_t)constant) == 6 && memcmp((const char *)constant, "after!", 6))
        return puts("elsewhere");
    int file = open("/bin/true", O_RDONLY);
    char *page = mmap(0, 4096, PROT_READ, MAP_PRIVATE, file, 0), byte = 0;
    if (page == MAP_FAILED || pwrite(fd, "X", 1, (off_t)(uintptr_t)page) != 1) return 0;
    return pread(file, &byte, 1, 0) != 1 || byte == 'X' ? puts("changed a file") : 0;
}
int main(void) {
    return change_memory() | wrote("/proc/self/oom_score_adj", "-9") | wrote("/proc/self/uid_map", "0 ")
        | wrote("/proc/self/setgroups", "al") | wrote("/proc/self/attr/current", "un")
        | wrote("/proc/1/oom_score_adj", "99") | wrote("/proc/1/mem", "xx");
}
