/* Spins with every signal blocked and ignored that may be.
 * expect: killed cpu
 * limits: cpu=0.3 */
#include <signal.h>
int main(void) {
    sigset_t all;
    sigfillset(&all);
    for (int s = 1; s < 65; s++) signal(s, SIG_IGN);
    sigprocmask(SIG_BLOCK, &all, 0);
    for (;;) ;
}
