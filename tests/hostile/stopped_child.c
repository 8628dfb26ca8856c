/* Leaves children behind that are stopped, and so can't act on a signal.
 * expect: exited 0 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (child == 0) { setsid(); raise(SIGSTOP); for (;;) pause(); }
        int status;
        waitpid(child, &status, WUNTRACED);
    }
    return 0;
}
