/* Kernel memory in socket buffers, and descriptors in flight that nobody holds: more than
 * the 16,000 from which the kernel collects them before each next one.
 * expect: killed memory or exited 0
 * limits: memory=16 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
int main(void) {
    char control[CMSG_SPACE(2 * sizeof(int))], byte = 0;
    for (int round = 0; round < 30000; round++) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return 0;
        struct iovec part = {&byte, 1};
        struct msghdr message = {0, 0, &part, 1, control, sizeof control, 0};
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(2 * sizeof(int));
        memcpy(CMSG_DATA(rights), ends, 2 * sizeof(int));
        sendmsg(ends[0], &message, MSG_DONTWAIT);
        close(ends[0]);
        close(ends[1]);
    }
    return 0;
}
