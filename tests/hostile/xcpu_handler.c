/* Handles the signals that announce the end, and goes on.
 * expect: killed cpu
 * limits: cpu=0.3 */
#include <signal.h>
#include <sys/resource.h>
static void go_on(int signal_) {}
int main(void) {
    signal(SIGXCPU, go_on);
    signal(SIGTERM, go_on);
    signal(SIGALRM, go_on);
    struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_CPU, &most);
    for (;;) ;
}
