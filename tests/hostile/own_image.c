/* Writes to its own program file by every name of it.
 * expect: exited 0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    if (open("/proc/self/exe", O_RDWR) >= 0 || open("/proc/self/exe", O_WRONLY | O_TRUNC) >= 0
        || truncate("/proc/self/exe", 0) == 0 || chmod("/proc/self/exe", 0777) == 0
        || link("/proc/self/exe", "/tmp/exe") == 0)
        { puts("wrote the image"); return 1; }
    return 0;
}
