/* Looks at every descriptor number for one that it was not given.
 * expect: exited 0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
int main(void) {
    for (int fd = 3; fd < 65536; fd++)
        if (fcntl(fd, F_GETFD) >= 0) { printf("descriptor %d\n", fd); return 1; }
    return 0;
}
