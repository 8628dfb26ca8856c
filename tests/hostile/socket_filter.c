/* Brings programs of its own into the kernel, for its socket.
 * expect: exited 0 */
#include <linux/filter.h>
#include <stdio.h>
#include <sys/socket.h>
int main(void) {
    int pair[2], size = 4096;
    struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0xffff)};
    struct sock_fprog program = {1, code};
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)) return 2;
    for (int option = 0; option < 100; option++)
        if ((option == SO_ATTACH_FILTER || option == 50 || option == 51 || option == 52)
            && setsockopt(pair[0], SOL_SOCKET, option, &program, sizeof program) == 0) {
            printf("option %d\n", option);
            return 1;
        }
    return setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0 ? 0 : 2;
}
