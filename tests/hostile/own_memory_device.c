/* Makes the memory of the host as a device file.
 * expect: killed policy mknodat */
#include <sys/stat.h>
#include <sys/sysmacros.h>
int main(void) {
    mknod("/tmp/memory", S_IFCHR | 0666, makedev(1, 1));
    return 0;
}
