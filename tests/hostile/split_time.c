/* Spreads its work over children, none of which is over the limit alone.
 * expect: killed cpu
 * limits: cpu=0.4 */
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
int main(void) {
    for (int i = 0; i < 20; i++) {
        if (fork() == 0) { while (clock() < CLOCKS_PER_SEC / 10) ; _exit(0); }
        wait(0);
    }
    return 0;
}
