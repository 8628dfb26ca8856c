/* Is killed while a child has its memory, and its parent stands still.
 * expect: signalled 9 */
#include <signal.h>
#include <unistd.h>
int main(void) {
    if (vfork() == 0) { kill(getppid(), SIGKILL); for (;;) pause(); }
    return 0;
}
