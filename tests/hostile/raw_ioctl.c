/* Types into the terminal of whoever started the judge.
 * expect: exited 0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
int main(void) {
    for (int fd = 0; fd < 3; fd++)
        if (ioctl(fd, TIOCSTI, "x") == 0 || ioctl(fd, TIOCSCTTY, 1) == 0) { puts("a terminal"); return 1; }
    if (open("/dev/tty", O_RDWR) >= 0) { puts("a terminal"); return 1; }
    return 0;
}
