/* Changes its code by /proc/self/mem and kernel settings by /proc/self. It may
 * do the first, which is its own; the rest must fail.
 * expect: exited 0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
static int wrote(const char *file, const char *text) {
    int fd = open(file, O_WRONLY);
    return fd >= 0 && write(fd, text, 2) > 0 && puts(file);
}
int main(void) {
    return wrote("/proc/self/oom_score_adj", "-9") | wrote("/proc/self/uid_map", "0 ") | wrote("/proc/self/setgroups", "al")
        | wrote("/proc/self/attr/current", "un") | wrote("/proc/1/oom_score_adj", "99")
        | wrote("/proc/1/mem", "xx");
}
