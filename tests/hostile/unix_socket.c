/* Looks for services of the host by names that no file system holds.
 * expect: exited 0 */
#include <stdio.h>
#include <sys/socket.h>
int main(void) {
    for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++)
        if (type < 6 && type != 4 && socket(AF_UNIX, type, 0) >= 0) { printf("type %d\n", type); return 1; }
    return 0;
}
