/* Uses a pair of sockets, which it may have, to send to an address.
 * expect: exited 0 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(void) {
    int ends[2];
    struct sockaddr_un systemd = {AF_UNIX, "\0/org/kernel/linux/storage/multipathd"};
    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    if (sendto(ends[0], "x", 1, 0, (void *)&systemd, sizeof systemd) == 1) { puts("sent"); return 1; }
    return 0;
}
