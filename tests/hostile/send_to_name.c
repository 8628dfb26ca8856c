/* Sends to a name through a pair of sockets, without connecting.
 * expect: killed policy sendto */
#include <sys/socket.h>
#include <sys/un.h>
int main(void) {
    int pair[2];
    struct sockaddr_un name = {AF_UNIX, "\0host"};
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)) return 2;
    sendto(pair[0], "x", 1, 0, (struct sockaddr *)&name, sizeof name);
    return 0;
}
