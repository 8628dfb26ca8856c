/* Uses a pair of sockets, which it may have, to send to an address that no filter sees.
 * expect: exited 0 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(void) {
    int ends[2];
    struct sockaddr_un systemd = {AF_UNIX, "\0/org/kernel/linux/storage/multipathd"};
    struct iovec word = {"x", 1};
    struct msghdr message = {.msg_name = &systemd, .msg_namelen = sizeof systemd, .msg_iov = &word, .msg_iovlen = 1};
    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    if (sendmsg(ends[0], &message, 0) == 1) { puts("sent"); return 1; }
    return 0;
}
