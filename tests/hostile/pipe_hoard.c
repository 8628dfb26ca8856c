/* Kernel memory in place of its own: pipes grown and filled.
 * expect: killed memory or exited 0
 * limits: memory=16 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>
int main(void) {
    static char block[1 << 20];
    int ends[2];
    while (pipe2(ends, O_NONBLOCK) == 0) {
        fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        while (write(ends[1], block, sizeof block) > 0) ;
    }
    return 0;
}
