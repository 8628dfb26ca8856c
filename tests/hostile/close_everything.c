/* Closes its streams, and fills their numbers with others.
 * expect: exited 0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>
int main(void) {
    close_range(0, ~0U, 0);
    for (int i = 0; i < 3; i++) open("/dev/full", O_RDWR);
    for (int fd = 3; fd < 64; fd++) dup2(1, fd);
    write(1, "x", 1);
    return 0;
}
