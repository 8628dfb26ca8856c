/* Handles the signal that a filter sends, to find out what is allowed.
 * expect: killed policy socket */
#include <signal.h>
#include <sys/socket.h>
static void go_on(int signal_) {}
int main(void) {
    sigset_t all;
    sigfillset(&all);
    for (int s = 1; s < 65; s++) signal(s, go_on);
    sigprocmask(SIG_BLOCK, &all, 0);
    socket(AF_INET, SOCK_STREAM, 0);
    return 0;
}
